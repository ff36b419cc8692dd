"""The contract between a kubelet and what runs its containers, shaped after the CRI.

Quick operations block and raise `podlab.runtime.errors`. Operations that take cluster time (pull, exec, probes over the
network) return at once and call `done` later, exactly once, possibly on another thread; a simulated runtime calls it
from a timer of the lab clock. `signal_container` returns at once: the container's end arrives as an event.

Every listing shows only what belongs to this lab, cluster and node. What goes in and out of it by subject: `images`,
`calls` (exec, HTTP, TCP, gRPC) and `streaming`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from podlab.apis.types import LogLine
from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult, TcpResult
from podlab.runtime.images import HeldImage, ImageInfo, PullProgress, PullResult, RegistryLogin
from podlab.runtime.node_files import NodeFile
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink


class ContainerState(StrEnum):
    """As in the CRI; UNKNOWN: the engine shows something that is none of these."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    UNKNOWN = "unknown"


class PidNamespace(StrEnum):
    """Whose processes a container sees."""

    CONTAINER = "container"  # its own only
    POD = "pod"  # of all containers of the pod; the sandbox is process 1
    NODE = "node"
    TARGET = "target"  # of one other container


@dataclass(frozen=True, slots=True)
class PodRef:
    """What names a pod for a runtime; `uid` tells apart pods that follow each other under one name."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A port of the node that leads to one of the pod. `protocol`: tcp | udp | sctp; `host_ip` "" = all addresses."""

    host_port: int
    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """One sandbox to be made. `attempt` counts the sandboxes of the pod from 0."""

    pod: PodRef
    attempt: int
    hostname: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    host_ipc: bool = False
    sysctls: Mapping[str, str] = field(default_factory=dict)
    host_ports: tuple[HostPort, ...] = ()
    handler: str = ""  # of the pod's RuntimeClass; "" = the node's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A path of the node in a container."""

    host_path: str
    container_path: str
    read_only: bool = False
    root: str = ""  # of the volume that host_path is a part of, for the simulator; "" = host_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerConfig:
    """One run of one container. `command` replaces the image's entrypoint and `args` its command, as in Kubernetes:
    None means "not given"; a given command without args drops the image's args."""

    pod: PodRef
    name: str
    attempt: int  # restartCount of this run
    image: str  # the reference to run, resolved by the image manager
    image_id: str = ""  # what the status shows as imageID; "" = the runtime's own id of the image
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    working_dir: str = ""
    mounts: tuple[Mount, ...] = ()
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    memory_limit: int = 0  # bytes, 0 = none
    cpu_limit_milli: int = 0
    cpu_request_milli: int = 0
    run_as_user: int | None = None
    run_as_group: int | None = None
    read_only_rootfs: bool = False
    privileged: bool = False
    groups: tuple[int, ...] = ()  # beside the first one
    add_capabilities: tuple[str, ...] = ()  # without CAP_; ALL = every one
    drop_capabilities: tuple[str, ...] = ()
    no_new_privileges: bool = False
    seccomp_unconfined: bool = False
    selinux: tuple[str, ...] = ()  # user:…, role:…, type:…, level:…; without effect where the engine has no SELinux
    host_ipc: bool = False
    pid_namespace: PidNamespace = PidNamespace.CONTAINER
    pid_target: str = ""  # id of the container whose processes are seen
    oom_score_adj: int | None = None
    message_path: str = ""  # where a simulated container's last words lie, if not at the default place
    message_from_log: bool = False  # a failed run without a termination message shows the end of its output
    hash: str = ""  # of the container spec, to see that it changed
    grace_seconds: int = 30  # enough to stop the container without its spec
    annotations: Mapping[str, str] = field(default_factory=dict)  # the pod's; the simulator reads its behaviour here
    ports: tuple[int, ...] = ()  # containerPorts, for the simulator's default behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerResources:
    """What a container may use; 0 = not limited, not asked for."""

    cpu_request_milli: int = 0
    cpu_limit_milli: int = 0
    memory_limit: int = 0  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxStatus:
    """A sandbox as the runtime shows it now; `ip` is "" when it has none."""

    id: str
    pod: PodRef
    attempt: int
    ready: bool
    ip: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStatus:
    """A run of a container as the runtime shows it now. Times are of the runtime's clock, with their zone."""

    id: str  # without scheme; status uses f"{runtime.name}://{id}"
    pod: PodRef
    name: str
    sandbox_id: str
    attempt: int
    state: ContainerState
    image: str
    image_id: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""  # Completed | Error | OOMKilled | ContainerCannotRun | StartError
    message: str = ""
    hash: str = ""
    grace_seconds: int = 30
    runtime: str = ""  # its name, where it is not the node's own


@dataclass(frozen=True, slots=True)
class PodStatus:
    """Everything the runtime knows of one pod uid: newest sandbox and newest container first."""

    pod: PodRef
    sandboxes: tuple[SandboxStatus, ...] = ()
    containers: tuple[ContainerStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """Something changed: a wake-up call, never the truth. `kind`: started | died | oom | created | removed."""

    pod_uid: str
    container_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class ContainerStats:
    """What a container uses now; bytes as the kernel counts them for its working set."""

    cpu_nano_cores: int
    memory_bytes: int
    pids: int = 0


@dataclass(frozen=True, slots=True)
class MachineInfo:
    """What a node has, and what it is."""

    cpu_milli: int
    memory_bytes: int
    os_image: str
    kernel: str
    runtime_version: str  # "docker://20.10.24"
    architecture: str
    simulated: bool
    storage_bytes: int = 0  # for pods; the kubelet of a real node measures it


class Subscription(Protocol):
    """Something that is followed."""

    def close(self) -> None:
        """Nothing comes any more; may be repeated."""
        ...


@runtime_checkable
class PlacesFiles(Protocol):
    """A runtime whose containers see files that exist nowhere: the simulator."""

    def place_files(self, root: str, files: Mapping[str, NodeFile]) -> None:
        """What a volume holds, or one file that is mounted, by path below its host path ("" = itself)."""
        ...

    def volume_bytes(self, root: str) -> int:
        """What containers wrote there."""
        ...


class Runtime(Protocol):
    """What a node runs pods on."""

    name: str  # "docker" | "sim", the scheme of container ids

    def machine(self) -> MachineInfo:
        """What the node has to give."""
        ...

    def run_sandbox(self, config: SandboxConfig) -> str:
        """Create and start the sandbox; idempotent by (uid, attempt); returns its id. Raises CreateFailed for a handler
        that is not here."""
        ...

    def stop_sandbox(self, sandbox_id: str) -> None:
        """End what runs in it at once, then itself. Stopped or gone counts as success."""
        ...

    def remove_sandbox(self, sandbox_id: str) -> None:
        """Remove it with its containers. Gone counts as success."""
        ...

    def create_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        """Idempotent by (uid, name, attempt); returns the container's id. The image must be present."""
        ...

    def start_container(self, container_id: str) -> None:
        """A run that goes on or is over stays as it is. Raises StartFailed with the engine's words, NotFound when it is gone."""
        ...

    def signal_container(self, container_id: str, signal: str) -> None:
        """Send "TERM" (or what the image wants to be stopped with), "KILL", … Not running or gone counts as success."""
        ...

    def update_container(self, container_id: str, resources: ContainerResources) -> None:
        """Give a running container other resources. One that has ended is left as it is; raises RuntimeFailure with the
        engine's words when it cannot be done."""
        ...

    def remove_container(self, container_id: str) -> None:
        """Gone counts as success."""
        ...

    def list_pods(self) -> dict[str, PodStatus]:
        """Every pod of this node by uid."""
        ...

    def pod_status(self, pod: PodRef) -> PodStatus:
        """What there is of one pod; empty when there is nothing."""
        ...

    def image(self, ref: str) -> ImageInfo | None:
        """An image that is present, by a name of it or its id."""
        ...

    def list_images(self) -> list[HeldImage]:
        """Everything in the store, whoever brought it."""
        ...

    def pull_image(
        self,
        ref: str,
        done: Callable[[PullResult], None],
        progress: Callable[[PullProgress], None] | None = None,
        annotations: Mapping[str, str] | None = None,
        login: RegistryLogin | None = None,
    ) -> None:
        """Pull; `annotations` are the pod's (the simulator reads pull time and missing images there). Without a `login`
        the runtime uses what the node's owner gave it."""
        ...

    def unpack_image(self, ref: str, folder: str, done: Callable[[str], None]) -> None:
        """Put the files of an image that is present into a new folder, all or nothing; `done` gets what went wrong, or "".
        A folder that is there already is complete."""
        ...

    def exec_sync(
        self, container_id: str, argv: tuple[str, ...], timeout: float, done: Callable[[ExecResult], None]
    ) -> None:
        """Run a command in a running container, for `timeout` seconds at most."""
        ...

    def http_get(
        self, container_id: str, request: HttpRequest, timeout: float, done: Callable[[HttpResult], None]
    ) -> None:
        """GET, from the node, for `timeout` seconds at most; redirects on the same host are followed."""
        ...

    def tcp_connect(
        self, container_id: str, host: str, port: int, timeout: float, done: Callable[[TcpResult], None]
    ) -> None:
        """Whether somebody listens there, from the node."""
        ...

    def grpc_check(
        self,
        container_id: str,
        host: str,
        port: int,
        service: str,
        timeout: float,
        done: Callable[[GrpcResult], None],
    ) -> None:
        """grpc.health.v1.Health/Check of `service` ("" = the whole server)."""
        ...

    def exec_stream(
        self, container_id: str, argv: tuple[str, ...], options: StreamOptions, sink: StreamSink
    ) -> StreamSession:
        """Run a command in a running container with its streams open."""
        ...

    def attach(self, container_id: str, options: StreamOptions, sink: StreamSink) -> StreamSession:
        """Join the streams of the container's main process, from now on; `options.tty` is what the container has."""
        ...

    def dial(self, pod: PodRef, port: int, sink: StreamSink) -> StreamSession:
        """A TCP connection to a server in the pod; raises RuntimeFailure with Go's words when nobody listens."""
        ...

    def stats(self, container_id: str) -> ContainerStats | None:
        """None when it does not run."""
        ...

    def written_bytes(self, container_id: str) -> int:
        """What a container, running or ended, has written beside its volumes."""
        ...

    def follow_logs(
        self,
        container_id: str,
        on_line: Callable[[LogLine], None],
        on_end: Callable[[], None],
        since: datetime | None = None,
    ) -> Subscription:
        """Every line since `since` (exclusive), then live ones in order; `on_end` after the last one of an ended container."""
        ...

    def recent_output(self, container_id: str, lines: int) -> str:
        """The last lines that a container has written, both streams as they came."""
        ...

    def events(self, on_event: Callable[[RuntimeEvent], None]) -> Subscription:
        """Follow changes; survives reconnects of the engine; may drop events (the kubelet relists)."""
        ...
