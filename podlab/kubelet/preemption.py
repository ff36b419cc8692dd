"""Which pods a node ends in order to let a critical one in. Pure; `admission` and `making_room` call it.

pkg/kubelet/preemption/preemption.go: guaranteed pods last, and of each class as few and as small ones as do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podlab.apis import pods as pod_facts
from podlab.apis.types import Manifest
from podlab.kubelet.pressure import is_critical

_CLASSES = ("BestEffort", "Burstable", "Guaranteed")
_SMALL_FIRST = ("memory", "cpu")

Amounts = Mapping[str, int]  # by resource; cpu in thousandths


class NoneFound(Exception):
    """Even all pods that may go would not be enough."""


def choose(pod: Manifest, others: Sequence[Manifest], missing: Amounts) -> list[Manifest]:
    """The pods that go for `pod`, which lacks `missing`. Raises NoneFound."""
    classes = {
        name: [one for one in others if pod_facts.qos_class(one) == name and _may_go(pod, one)] for name in _CLASSES
    }
    best_effort, burstable, guaranteed = (classes[name] for name in _CLASSES)
    if unmet := _left(missing, [*best_effort, *burstable, *guaranteed]):
        raise NoneFound(_text(unmet))
    last = _nearest(guaranteed, _left(missing, [*best_effort, *burstable]))
    middle = _nearest(burstable, _left(missing, [*best_effort, *last]))
    first = _nearest(best_effort, _left(missing, [*middle, *last]))
    return [*first, *middle, *last]


def amounts(pod: Manifest) -> dict[str, int]:
    """What a pod takes of its node, itself included."""
    asked = pod_facts.effective_requests(pod)
    return {"pods": 1, "cpu": asked.cpu_milli, "memory": asked.memory_bytes, **dict(asked.others)}


def _may_go(pod: Manifest, other: Manifest) -> bool:
    if is_critical(pod) and not is_critical(other):
        return True
    ours, theirs = (one["spec"].get("priority") for one in (pod, other))
    return ours is not None and theirs is not None and int(ours) > int(theirs)


def _left(missing: Amounts, gone: Sequence[Manifest]) -> dict[str, int]:
    freed = [amounts(pod) for pod in gone]
    left = {name: amount - sum(one.get(name, 0) for one in freed) for name, amount in missing.items()}
    return {name: amount for name, amount in left.items() if amount > 0}


def _nearest(pods: Sequence[Manifest], missing: Amounts) -> list[Manifest]:
    """Each time the pod that comes nearest to what is missing; of two that come as near, the smaller one."""
    rest, chosen = list(pods), list[Manifest]()
    while missing:
        if not rest:
            raise NoneFound(_text(missing))
        best = min(rest, key=lambda pod: (_distance(missing, amounts(pod)), _size(pod)))
        rest.remove(best)
        chosen.append(best)
        missing = _left(missing, [best])
    return chosen


def _distance(missing: Amounts, offered: Amounts) -> float:
    return sum((max(amount - offered.get(name, 0), 0) / amount) ** 2 for name, amount in missing.items())


def _size(pod: Manifest) -> tuple[int, ...]:
    held = amounts(pod)
    return tuple(held[name] for name in _SMALL_FIRST)


def _text(missing: Amounts) -> str:
    """admissionRequirementList.toString"""
    listed = "".join(f"(res: {name}, q: {amount}), " for name, amount in missing.items())
    return f"no set of running pods found to reclaim resources: [{listed}]"
