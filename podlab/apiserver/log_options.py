"""PodLogOptions and the choice of the container run whose log is meant: pure.

`log` opens the file. Sources: pkg/apis/core/validation ValidatePodLogOptions, registry/core/pod/strategy.go LogLocation,
pkg/kubelet/kubelet_pods.go validateContainerLogStatus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from podlab.apis import field_errors, reasons, status_errors, times
from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.apiserver import options
from podlab.apiserver.options import Query

_STATUS_LISTS = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_SPEC_LISTS = ("initContainers", "containers", "ephemeralContainers")
_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class LogOptions:
    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since_seconds: int | None = None
    since_time: datetime | None = None
    tail: int | None = None
    limit_bytes: int | None = None

    def since(self, now: datetime) -> datetime | None:
        if self.since_seconds is None:
            return self.since_time
        try:
            return now - timedelta(seconds=self.since_seconds)
        except OverflowError:  # before all that was ever logged
            return None


def read(query: Query, pod_name: str) -> LogOptions:
    found = LogOptions(
        container=query.get("container", ""),
        follow=bool(options.boolean(query, "follow")),
        previous=bool(options.boolean(query, "previous")),
        timestamps=bool(options.boolean(query, "timestamps")),
        since_seconds=options.integer(query, "sinceSeconds"),
        since_time=_since_time(query.get("sinceTime", "")),
        tail=options.integer(query, "tailLines"),
        limit_bytes=options.integer(query, "limitBytes"),
    )
    errors = list(_errors(found, query.get("stream", "")))
    if errors:
        raise status_errors.invalid("PodLogOptions", pod_name, errors)
    return found


def _since_time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return times.parse(text)
    except ValueError:
        quoted = field_errors.go_quote(text)
        layout = '"2006-01-02T15:04:05Z07:00"'
        raise status_errors.bad_request(f'parsing time {quoted} as {layout}: cannot parse {quoted} as "2006"') from None


def _errors(found: LogOptions, stream: str) -> Iterator[FieldError]:
    if found.tail is not None and found.tail < 0:
        yield field_errors.invalid("tailLines", found.tail, "must be greater than or equal to 0")
    if found.limit_bytes is not None and found.limit_bytes < 1:
        yield field_errors.invalid("limitBytes", found.limit_bytes, "must be greater than 0")
    if found.since_seconds is not None and found.since_time is not None:
        yield field_errors.forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif found.since_seconds is not None and found.since_seconds < 1:
        yield field_errors.invalid("sinceSeconds", found.since_seconds, "must be greater than 0")
    if stream:  # the streams are one file here, as they are without the feature PodLogsQuerySplitStreams
        yield field_errors.forbidden("stream", "may not be specified")


def choose_container(pod: Manifest, wanted: str) -> str:
    """The container meant; a pod with one needs no name."""
    name = pod["metadata"]["name"]
    names = [item["name"] for key in _SPEC_LISTS for item in pod["spec"].get(key) or []]
    if wanted:
        if wanted not in names:
            raise status_errors.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    only = pod["spec"].get("containers") or []
    if len(only) == 1:
        return str(only[0]["name"])
    choices = f", choose one of: [{' '.join(names)}]" if names else ""
    raise status_errors.bad_request(f"a container name must be specified for pod {name}{choices}")


def container_status(pod: Manifest, container: str) -> Manifest | None:
    status = pod.get("status") or {}
    for key in _STATUS_LISTS:
        for item in status.get(key) or []:
            if item.get("name") == container:
                return dict(item)
    return None


_START_ERROR = "StartError"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a container: its runtime id, and the attempt that it was if the status tells. `removed`: the node keeps
    one dead container of a name, so the run before another dead one is no longer there (pod_container_deletor.go); its
    runtime id is "" where only the run history knows it."""

    container: str
    container_id: str
    attempt: int
    running: bool
    removed: bool = False


def choose_run(pod: Manifest, container: str, *, previous: bool) -> Run:
    """The run whose log is shown; a 400 with the kubelet's words when there is none."""
    where = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    status = container_status(pod, container)
    if status is None:
        raise status_errors.bad_request(f"{where} is not available")
    state = status.get("state") or {}
    last = (status.get("lastState") or {}).get("terminated") or {}
    restarts = int(status.get("restartCount") or 0)
    running, terminated = state.get("running"), state.get("terminated")
    waiting = running is None and terminated is None
    # While a container waits for its restart, the count is still that of the run which ended.
    ended = Run(container, last.get("containerID", ""), restarts if waiting else max(restarts - 1, 0), running=False)
    if previous:
        if not ended.container_id:
            raise status_errors.bad_request(f"previous terminated {where} not found")
        backing_off = (state.get("waiting") or {}).get("reason") == reasons.CRASH_LOOP_BACK_OFF
        if restarts and backing_off and last.get("reason") != _START_ERROR:
            # A real kubelet shows the end itself during nearly all of a back-off, with the run before it as the last one.
            # What could not be started it shows as waiting, with that try as the last one.
            return Run(container, "", restarts - 1, running=False, removed=True)
        return replace(ended, removed=terminated is not None)
    if running is not None:
        return Run(container, status.get("containerID", ""), restarts, running=True)
    if terminated is not None:
        own = terminated.get("containerID", "")
        if own:
            return Run(container, own, restarts, running=False)
    if ended.container_id:
        return ended
    if terminated is not None or last:
        raise status_errors.bad_request(f"{where} is terminated")
    reason = (state.get("waiting") or {}).get("reason", "")
    if not reason:
        raise status_errors.bad_request(f"{where} is waiting to start - no logs yet")
    raise status_errors.bad_request(f"{where} is waiting to start: {_WAITING.get(reason, reason)}")


def has_ended(pod: Manifest, run: Run) -> bool:
    """Whether a later state of the pod says that this run is over."""
    status = container_status(pod, run.container)
    if status is None:
        return False
    running = (status.get("state") or {}).get("running")
    return not (running is not None and status.get("containerID", "") == run.container_id)
