"""Which pods of lower priority must go so that this one fits, and from which node. Pure; `bind` ends them.

As DefaultPreemption does (framework/plugins/defaultpreemption/default_preemption.go, framework/preemption/preemption.go):
all less important pods leave a node in thought, and as many as possible come back, those first whose disruption budget
would be violated. Of the nodes where that works the one is chosen that costs least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from podlab.apis import pods as pod_facts
from podlab.apis import reasons, selectors, times
from podlab.apis.status_errors import SelectorError
from podlab.apis.types import Manifest
from podlab.scheduler.filtering import State, rejection
from podlab.scheduler.nodes import NodeInfo, nominated_node
from podlab.scheduler.plugins.interface import Rejection

NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NEVER = "not eligible due to preemptionPolicy=Never."
WAITING = "not eligible due to a terminating pod on the nominated node."

# Enough nodes to choose from: not fewer than these, nor than so many percent (DefaultPreemptionArgs).
_MIN_CANDIDATES = 100
_MIN_PERCENT = 10
# Makes priorities positive, so that each further victim counts (pickOneNodeForPreemption).
_OFFSET = 2**31


@dataclass(frozen=True, slots=True)
class Victims:
    """The pods of one node that would have to go, the most important first; `violations`: of disruption budgets."""

    node: str
    pods: tuple[Manifest, ...]
    violations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preemption:
    """`message` is what the event says after "preemption: ", "" when it goes ahead. `why` begins with "To make room, " if
    somebody leaves (`web.nodes` looks for it), else it is empty. `nominated`: the node for which the pod
    is kept a place, "" for none any more, None if that stays as it is."""

    message: str
    why: str
    nominated: str | None = None
    victims: tuple[Manifest, ...] = ()


def preempt(
    pod: Manifest,
    nodes: Sequence[NodeInfo],
    rejections: Mapping[str, Rejection],
    state: State,
    budgets: Sequence[Manifest] = (),
) -> Preemption:
    """For a pod that every node rejected. `budgets`: the disruption budgets of the cluster."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return Preemption(message=NEVER, why="")
    if (waits := _waits_for(pod, nodes, rejections)) is not None:
        ending = f"{waits['metadata']['name']} is ending on {nominated_node(pod)}"
        return Preemption(message=WAITING, why=f"To make room, {ending}.")
    statuses: dict[str, tuple[str, ...]] = dict.fromkeys((node.name for node in nodes), (NOT_HELPFUL,))
    candidates: list[Victims] = []
    hopeful = [node for node in nodes if rejections[node.name].resolvable]
    enough = min(max(len(hopeful) * _MIN_PERCENT // 100, _MIN_CANDIDATES), len(hopeful))
    for node in hopeful:
        found = select_victims(pod, node, state, budgets)
        if isinstance(found, Rejection):
            statuses[node.name] = found.reasons
            continue
        candidates.append(found)
        if len(candidates) >= enough and any(not one.violations for one in candidates):
            break
    if not candidates:
        counted = Counter(reason for each in statuses.values() for reason in each)
        return Preemption(message=f"{fraction(len(nodes))}{listed(counted)}.", why="", nominated="")
    best = cheapest(candidates)
    return Preemption(message="", why=_why(best, candidates), nominated=best.node, victims=best.pods)


def fraction(count: int) -> str:
    return f"0/{count} nodes are available: "


def listed(counted: Mapping[str, int]) -> str:
    """ "2 Insufficient cpu, 1 Too many pods": sorted as strings, as Kubernetes does."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counted.items()))


def select_victims(
    pod: Manifest, node: NodeInfo, state: State, budgets: Sequence[Manifest] = ()
) -> Victims | Rejection:
    """The fewest and least important pods whose end lets the pod in, or why even the end of all does not."""
    lesser = [one for one in node.residents if pod_facts.priority(one) < pod_facts.priority(pod)]
    if not lesser:
        return Rejection((NO_VICTIMS,))
    emptied, counted = node, state
    for one in lesser:
        emptied, counted = emptied.without(one), counted.without(pod, one, node)
    refused = rejection(pod, emptied, counted)
    if refused is not None:
        return refused
    violating, others = _by_budget(sorted(lesser, key=_importance), budgets)
    victims: list[Manifest] = []
    violations = 0
    for one, violated in [*((one, 1) for one in violating), *((one, 0) for one in others)]:
        fuller, more = emptied.with_pod(one), counted.with_pod(pod, one, node)
        if rejection(pod, fuller, more) is None:
            emptied, counted = fuller, more
        else:
            victims.append(one)
            violations += violated
    if not victims:  # it fits as it is, which whoever rejected the node did not see
        return Rejection((f'expected at least one victim pod on node "{node.name}"',))
    return Victims(node.name, tuple(sorted(victims, key=_importance)), violations)


def cheapest(candidates: Sequence[Victims]) -> Victims:
    """Fewest violated budgets, then the least important, the fewest, and the youngest victims; the first of equals."""
    return min(candidates, key=_cost)


def _cost(one: Victims) -> tuple[int, int, int, int, float]:
    priorities = [pod_facts.priority(pod) for pod in one.pods]
    top = max(priorities)
    begun = min(_started(pod) for pod in one.pods if pod_facts.priority(pod) == top)
    return one.violations, top, sum(value + _OFFSET for value in priorities), len(priorities), -begun


def _importance(pod: Manifest) -> tuple[int, float, str]:
    """More important pods sort first: by priority, then those that began earlier (util.MoreImportantPod)."""
    return -pod_facts.priority(pod), _started(pod), pod["metadata"]["name"]


def _started(pod: Manifest) -> float:
    """A pod that has not begun counts as the youngest."""
    text = (pod.get("status") or {}).get("startTime")
    return (times.parse(text) if text else datetime.max.replace(tzinfo=UTC)).timestamp()


def _by_budget(pods: Iterable[Manifest], budgets: Sequence[Manifest]) -> tuple[list[Manifest], list[Manifest]]:
    """Those whose end would violate a disruption budget, and the others (filterPodsWithPDBViolation)."""
    allowed = [int((budget.get("status") or {}).get("disruptionsAllowed") or 0) for budget in budgets]
    violating: list[Manifest] = []
    others: list[Manifest] = []
    for pod in pods:
        violated = False
        for index, budget in enumerate(budgets):
            if _protects(budget, pod):
                allowed[index] -= 1
                violated = violated or allowed[index] < 0
        (violating if violated else others).append(pod)
    return violating, others


def _protects(budget: Manifest, pod: Manifest) -> bool:
    meta = pod["metadata"]
    if budget["metadata"].get("namespace") != meta.get("namespace") or not meta.get("labels"):
        return False
    try:
        selector = selectors.from_label_selector((budget.get("spec") or {}).get("selector"))
    except SelectorError:
        return False
    if selector.empty or not selector.matches(meta["labels"]):
        return False
    return meta["name"] not in ((budget.get("status") or {}).get("disruptedPods") or {})


def _waits_for(pod: Manifest, nodes: Sequence[NodeInfo], rejections: Mapping[str, Rejection]) -> Manifest | None:
    """A pod that is ending already to make room for this one: no further pods are ended meanwhile."""
    node = next((node for node in nodes if node.name == nominated_node(pod)), None)
    if node is None or not rejections[node.name].resolvable:
        return None
    return next((one for one in node.residents if _ends_for(one, pod)), None)


def _ends_for(victim: Manifest, pod: Manifest) -> bool:
    if not victim["metadata"].get("deletionTimestamp") or pod_facts.priority(victim) >= pod_facts.priority(pod):
        return False
    condition = pod_facts.get_condition((victim.get("status") or {}).get("conditions"), "DisruptionTarget") or {}
    return condition.get("status") == "True" and condition.get("reason") == reasons.PREEMPTION_BY_SCHEDULER


def _why(best: Victims, candidates: Sequence[Victims]) -> str:
    names = ", ".join(f"{one['metadata']['name']} (priority {pod_facts.priority(one)})" for one in best.pods)
    violated = f", which violates {best.violations} disruption budgets" if best.violations else ""
    others = ", ".join(f"{one.node} {len(one.pods)}" for one in candidates if one is not best)
    rest = f" Victims elsewhere: {others}." if others else ""
    return f"To make room, {names} must leave {best.node}{violated}.{rest}"
