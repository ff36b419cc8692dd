"""apps/v1. Sources: pkg/registry/apps/{deployment,replicaset,daemonset,statefulset,controllerrevision}/strategy.go."""

from __future__ import annotations

from podlab.apis import feature_gates, status_errors
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.operations import Context
from podlab.registry.strategy import Strategy, keep

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class WorkloadStrategy(Strategy):
    """Spec by the user, status by a controller, a pod template between them."""

    has_generation = True
    has_status = True

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        self.drop_disabled(obj)
        self.default(obj)  # the status that Go writes for one that is empty

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        self.drop_disabled(new)
        super().prepare_for_update(ctx, new, old)

    def drop_disabled(self, obj: Manifest) -> None:
        feature_gates.drop_disabled((obj.get("spec") or {}).get("template") or {})


class DeploymentStrategy(WorkloadStrategy):
    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        """Annotations count too: a rollout is told by them which revision to go back to."""
        super().prepare_for_update(ctx, new, old)
        before, after = metadata.of(old), metadata.of(new)
        if (after.get("annotations") or {}) != (before.get("annotations") or {}):
            after["generation"] = int(before.get("generation") or 0) + 1

    def prepare_for_subresource(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_subresource(ctx, new, old)
        if ctx.subresource == "status":
            keep(metadata.of(new), metadata.of(old), "labels")


class StatefulSetStrategy(WorkloadStrategy):
    def drop_disabled(self, obj: Manifest) -> None:
        """maxUnavailable stands behind a feature gate that is off."""
        super().drop_disabled(obj)
        rolling = ((obj.get("spec") or {}).get("updateStrategy") or {}).get("rollingUpdate")
        if rolling is not None:
            rolling.pop("maxUnavailable", None)


class DaemonSetStrategy(WorkloadStrategy):
    """The generation of the template is kept in an annotation, as since the time when it was a field of its own."""

    def prepare_for_create(self, ctx: Context, obj: Manifest) -> None:
        super().prepare_for_create(ctx, obj)
        _set_template_generation(obj, max(_template_generation(ctx, obj), 1))

    def prepare_for_update(self, ctx: Context, new: Manifest, old: Manifest) -> None:
        super().prepare_for_update(ctx, new, old)
        _template_generation(ctx, new)
        changed = (new.get("spec") or {}).get("template") != (old.get("spec") or {}).get("template")
        _set_template_generation(new, _template_generation(ctx, old) + int(changed))


def _template_generation(ctx: Context, obj: Manifest) -> int:
    text = (metadata.of(obj).get("annotations") or {}).get(_TEMPLATE_GENERATION)
    if text is None:
        return 0
    try:
        return int(text)
    except ValueError:
        problem = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise status_errors.bad_request(
            f'DaemonSet in version "v1" cannot be handled as a DaemonSet: {problem}'
        ) from None


def _set_template_generation(obj: Manifest, generation: int) -> None:
    meta = metadata.of(obj)
    meta["annotations"] = {**(meta.get("annotations") or {}), _TEMPLATE_GENERATION: str(generation)}
