"""batch/v1. Sources: pkg/registry/batch/{job,cronjob}/strategy.go."""

from __future__ import annotations

from podlab.apis import feature_gates
from podlab.apis.types import Manifest
from podlab.apis.validation.job import CONTROLLER_UID, JOB_NAME, LEGACY_CONTROLLER_UID, LEGACY_JOB_NAME
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.registry.strategies.workloads import WorkloadStrategy


class JobStrategy(WorkloadStrategy):
    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        if metadata.of(obj).get("generateName"):  # the object was copied for its name, and shares nothing any more
            _adopt_labels(obj)
        if not (obj.get("spec") or {}).get("manualSelector"):
            _generate_selector(obj)
        _adopt_labels(obj)

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        _adopt_labels(new)

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        _adopt_labels(new)
        super().prepare_for_subresource(ctx, new, old)


def _generate_selector(job: Manifest) -> None:
    """A Job finds its pods by its own uid. What the user set instead is left for validation to refuse."""
    meta, spec = metadata.of(job), job["spec"]
    template = spec["template"]["metadata"]
    labels = dict(template.get("labels") or {})
    for key in (LEGACY_JOB_NAME, JOB_NAME):
        labels.setdefault(key, meta.get("name") or "")
    for key in (LEGACY_CONTROLLER_UID, CONTROLLER_UID):
        labels.setdefault(key, meta["uid"])
    template["labels"] = labels
    selector = dict(spec.get("selector") or {})
    selector["matchLabels"] = {CONTROLLER_UID: meta["uid"], **(selector.get("matchLabels") or {})}
    spec["selector"] = selector


def _adopt_labels(job: Manifest) -> None:
    """A Job without labels has those of its pods (SetDefaults_Job, which shares one map between the two)."""
    meta = metadata.of(job)
    labels = (((job.get("spec") or {}).get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not meta.get("labels"):
        meta["labels"] = dict(labels)


class CronJobStrategy(WorkloadStrategy):
    def drop_disabled(self, obj: Manifest) -> None:
        job = ((obj.get("spec") or {}).get("jobTemplate") or {}).get("spec") or {}
        feature_gates.drop_disabled(job.get("template") or {})
