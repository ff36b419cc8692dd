"""A pod without a node, or with one that refuses it or is not there. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podlab.apis.types import Manifest
from podlab.glance.explain.case import Case, Evidence, Finding, Situation, Try, finding, of_event, of_status, of_yaml
from podlab.glance.sentences import gettext_noop

_DESCRIBE_NODES = ("describe", "nodes")
_DESCRIBE = ("describe", "pod", "{pod}")
DEFAULT_SCHEDULER = "default-scheduler"

SITUATIONS = (
    Situation(
        "scheduling-gated",
        gettext_noop("Held back by a scheduling gate"),
        gettext_noop("The pod waits and no scheduler looks at it, because it still has the gate {gate}."),
        gettext_noop("Whoever set spec.schedulingGates has to remove the gate; until then the pod is not queued."),
        Try(gettext_noop("Look which gates are left."), ("get", "pod", "{pod}", "-o", "jsonpath={{.spec.schedulingGates}}")),
        (Try(gettext_noop("Remove the gate when its reason is gone."), ("edit", "pod", "{pod}"), "spec.schedulingGates"),),
        level="waiting",
    ),
    Situation(
        "scheduler-unknown",
        gettext_noop("Asks for a scheduler that is not here"),
        gettext_noop("Nobody places the pod: it asks for the scheduler {scheduler}."),
        gettext_noop("Only default-scheduler runs in this lab; a pod for another one stays Pending for ever."),
        Try(gettext_noop("Look at the name."), ("get", "pod", "{pod}", "-o", "jsonpath={{.spec.schedulerName}}")),
        (Try(gettext_noop("Create the pod again without schedulerName."), path="spec.schedulerName"),),
    ),
    Situation(
        "no-nodes",
        gettext_noop("There is no node"),
        gettext_noop("The scheduler has no node to choose from."),
        gettext_noop("No node has registered in this cluster, or all of them were deleted."),
        Try(gettext_noop("Look at the nodes."), ("get", "nodes")),
        (Try(gettext_noop("Start a node worker; the pod is placed by itself then."), ("get", "nodes", "--watch")),),
    ),
    Situation(
        "insufficient-cpu",
        gettext_noop("No node has enough CPU left"),
        gettext_noop("The scheduler finds no node with enough CPU left that is not asked for yet ({nodes})."),
        gettext_noop("What counts are requests, not use: the requests of all pods on a node may not exceed its allocatable."),
        Try(gettext_noop("Compare requests with what the nodes can give."), _DESCRIBE_NODES),
        (
            Try(gettext_noop("Ask for less CPU."), path="spec.containers[0].resources.requests"),
            Try(gettext_noop("Make room: delete pods that nobody needs."), ("get", "pods", "--all-namespaces", "-o", "wide")),
        ),
    ),
    Situation(
        "insufficient-memory",
        gettext_noop("No node has enough memory left"),
        gettext_noop("The scheduler finds no node with enough memory left that is not asked for yet ({nodes})."),
        gettext_noop("Requests are booked whether the memory is used or not; a limit without a request counts as one."),
        Try(gettext_noop("Compare requests with what the nodes can give."), _DESCRIBE_NODES),
        (
            Try(gettext_noop("Ask for less memory."), path="spec.containers[0].resources.requests"),
            Try(gettext_noop("Make room: delete pods that nobody needs."), ("get", "pods", "--all-namespaces", "-o", "wide")),
        ),
    ),
    Situation(
        "insufficient-other",
        gettext_noop("No node offers what is asked for"),
        gettext_noop("No node has enough of {resource} ({nodes})."),
        gettext_noop("The pod asks for a resource that no node has, or that is used up."),
        Try(gettext_noop("Look at what the nodes can give."), _DESCRIBE_NODES),
        (Try(gettext_noop("Check the name of the resource and ask for less."), path="spec.containers[0].resources"),),
    ),
    Situation(
        "too-many-pods",
        gettext_noop("The nodes are full of pods"),
        gettext_noop("Every node that would fit already has as many pods as it may have ({nodes})."),
        gettext_noop("A node takes no more pods than its allocatable `pods`, however small they are."),
        Try(gettext_noop("Count the pods on each node."), ("get", "pods", "--all-namespaces", "-o", "wide")),
        (Try(gettext_noop("Delete pods that are over: Succeeded and Failed ones do not count, waiting ones do."), ("get", "pods", "--all-namespaces")),),
    ),
    Situation(
        "node-selector",
        gettext_noop("No node has the wanted labels"),
        gettext_noop("The pod's nodeSelector or node affinity fits no node ({nodes})."),
        gettext_noop("Every label that nodeSelector names must be on the node with exactly that value."),
        Try(gettext_noop("Look at the labels of the nodes."), ("get", "nodes", "--show-labels")),
        (
            Try(gettext_noop("Correct the label in the pod and create it again."), path="spec.nodeSelector"),
            Try(gettext_noop("Or label a node."), ("label", "node", "{first}", "{label}")),
        ),
    ),
    Situation(
        "untolerated-taint",
        gettext_noop("The nodes are tainted"),
        gettext_noop("Nodes have a taint that the pod does not tolerate: {taints}."),
        gettext_noop("A taint keeps away every pod without a matching toleration; nodes that are not ready get one by themselves."),
        Try(gettext_noop("Look at the taints."), _DESCRIBE_NODES),
        (
            Try(gettext_noop("Tolerate the taint, if the pod belongs there."), path="spec.tolerations"),
            Try(gettext_noop("Or take the taint away."), ("taint", "nodes", "{first}", "{taint}-")),
        ),
    ),
    Situation(
        "node-cordoned",
        gettext_noop("The nodes are cordoned"),
        gettext_noop("Nodes are marked unschedulable ({nodes}); they keep their pods but take no new ones."),
        gettext_noop("Somebody cordoned or drained them."),
        Try(gettext_noop("Look for SchedulingDisabled."), ("get", "nodes")),
        (Try(gettext_noop("Allow new pods again."), ("uncordon", "{first}")),),
    ),
    Situation(
        "host-port-taken",
        gettext_noop("The host port is taken"),
        gettext_noop("On every node another pod already has the host port that this one wants ({nodes})."),
        gettext_noop("A host port exists once per node. containerPort alone needs no host port."),
        Try(gettext_noop("Find the other pod."), ("get", "pods", "--all-namespaces", "-o", "wide")),
        (Try(gettext_noop("Leave hostPort away and use a Service or port-forward."), ("port-forward", "pod/{pod}", "8080:PORT"), "spec.containers[0].ports"),),
    ),
    Situation(
        "pod-affinity",
        gettext_noop("No node is near the pods that it wants"),
        gettext_noop("The pod must be near certain other pods, and on no node that would fit they are ({nodes})."),
        gettext_noop("A required podAffinity needs a running pod that its selector matches, in the same domain of topologyKey; only the first pod of a group that wants itself goes without."),
        Try(gettext_noop("Look where pods with the wanted labels run."), ("get", "pods", "-o", "wide", "--show-labels")),
        (
            Try(gettext_noop("Start the pods that are wanted first, or correct labelSelector, namespaces and topologyKey."), path="spec.affinity.podAffinity"),
            Try(gettext_noop("Prefer instead of require: preferredDuringSchedulingIgnoredDuringExecution."), path="spec.affinity"),
        ),
    ),
    Situation(
        "pod-anti-affinity",
        gettext_noop("On every node is a pod that it avoids"),
        gettext_noop("The pod must be apart from certain other pods, and these are everywhere it could go ({nodes})."),
        gettext_noop("A required podAntiAffinity allows no pod that its selector matches in the same domain of topologyKey. With the host as domain there fits one of them on a node."),
        Try(gettext_noop("Look where pods with these labels run."), ("get", "pods", "-o", "wide", "--show-labels")),
        (
            Try(gettext_noop("Run no more of them than there are domains, or add a node."), ("get", "nodes", "--show-labels")),
            Try(gettext_noop("Prefer instead of require: preferredDuringSchedulingIgnoredDuringExecution."), path="spec.affinity"),
        ),
    ),
    Situation(
        "existing-anti-affinity",
        gettext_noop("Pods that are there already keep it away"),
        gettext_noop("Pods on the nodes have an anti-affinity that matches this pod ({nodes})."),
        gettext_noop("Anti-affinity counts both ways: who came first keeps out whoever its selector matches, though the newcomer has no such rule."),
        Try(gettext_noop("Look which pods there have a podAntiAffinity."), ("get", "pods", "--all-namespaces", "-o", "wide")),
        (Try(gettext_noop("Change the labels of this pod so that no such rule matches them."), path="metadata.labels"),),
    ),
    Situation(
        "topology-spread",
        gettext_noop("It would make the pods too uneven"),
        gettext_noop("On no node would the pods lie as evenly as topologySpreadConstraints ask ({nodes})."),
        gettext_noop("With DoNotSchedule, a domain may have at most maxSkew pods more than the emptiest one. A domain without room for a pod still counts as the emptiest."),
        Try(gettext_noop("Count the pods of each domain."), ("get", "pods", "-o", "wide", "--show-labels")),
        (
            Try(gettext_noop("Raise maxSkew, or let whenUnsatisfiable be ScheduleAnyway."), path="spec.topologySpreadConstraints"),
            Try(gettext_noop("Make room in the emptiest domain; nodeTaintsPolicy: Honor leaves tainted nodes out of the count."), _DESCRIBE_NODES),
        ),
    ),
    Situation(
        "topology-label",
        gettext_noop("The nodes lack the label to spread over"),
        gettext_noop("Nodes have no label of the name that topologySpreadConstraints give as topologyKey ({nodes})."),
        gettext_noop("A node without it belongs to no domain, and a required constraint lets nothing onto it."),
        Try(gettext_noop("Look at the labels of the nodes."), ("get", "nodes", "--show-labels")),
        (
            Try(gettext_noop("Label the nodes with their domain."), ("label", "node", "{first}", "topology.kubernetes.io/zone=ZONE")),
            Try(gettext_noop("Spread over hosts: topologyKey kubernetes.io/hostname is on every node."), path="spec.topologySpreadConstraints"),
        ),
    ),
    Situation(
        "making-room",
        gettext_noop("Pods of lower priority make room"),
        gettext_noop("The pod fits on no node; pods of lower priority end on {node} so that it can go there."),
        gettext_noop("They keep their grace period. Until they are gone the pod waits; pods of lower priority do not get the room meanwhile."),
        Try(gettext_noop("Look which pods are Terminating."), ("get", "pods", "--all-namespaces", "--field-selector", "spec.nodeName={node}")),
        (Try(gettext_noop("preemptionPolicy: Never in the priority class lets a pod wait without ending others."), ("get", "priorityclasses")),),
        level="waiting",
    ),
    Situation(
        "claim-missing",
        gettext_noop("The volume claim does not exist"),
        gettext_noop("The pod wants the claim {claim}, and there is none of that name in its namespace."),
        gettext_noop("A pod is placed only when all of its PersistentVolumeClaims exist."),
        Try(gettext_noop("Look at the claims."), ("get", "pvc")),
        (Try(gettext_noop("Create the claim, or correct claimName; the pod is placed by itself then."), path="spec.volumes"),),
    ),
    Situation(
        "claim-unbound",
        gettext_noop("The volume claim is not bound"),
        gettext_noop("A claim of the pod has no volume yet."),
        gettext_noop("No volume fits in size, access mode and class, and nothing makes one."),
        Try(gettext_noop("Look at claims and volumes."), ("get", "pvc,pv")),
        (Try(gettext_noop("Read what the claim's events say."), ("describe", "pvc")),),
    ),
    Situation(
        "unschedulable",
        gettext_noop("No node takes the pod"),
        gettext_noop("The scheduler says: {message}"),
        gettext_noop("Every node was looked at and refused; it is tried again whenever something changes."),
        Try(gettext_noop("Look at the events."), _DESCRIBE),
        (Try(gettext_noop("Compare the pod with the nodes."), _DESCRIBE_NODES),),
    ),
    Situation(
        "not-scheduled-yet",
        gettext_noop("Waiting for the scheduler"),
        gettext_noop("The pod is stored and no node is chosen yet."),
        gettext_noop("That takes milliseconds as a rule. If it stays so, the scheduler does not run."),
        Try(gettext_noop("Watch the pod."), ("get", "pod", "{pod}", "-o", "wide", "--watch")),
        (Try(gettext_noop("Look whether the lab's control worker runs and, in a simulated cluster, whether the clock is paused."), _DESCRIBE),),
        level="waiting",
    ),
    Situation(
        "node-absent",
        gettext_noop("The node does not exist"),
        gettext_noop("The pod belongs to the node {node}, and there is no such node."),
        gettext_noop("Whoever writes spec.nodeName goes past the scheduler, and nobody checks the name."),
        Try(gettext_noop("Look at the nodes."), ("get", "nodes")),
        (Try(gettext_noop("Create the pod again without nodeName, or with nodeSelector."), path="spec.nodeName"),),
    ),
    Situation(
        "node-not-ready",
        gettext_noop("The node is not ready"),
        gettext_noop("The node {node} of this pod does not report; what is shown may be old."),
        gettext_noop("The kubelet renews its lease every few seconds. Without it the node becomes NotReady, and after five minutes its pods are deleted."),
        Try(gettext_noop("Look at the node."), ("describe", "node", "{node}")),
        (Try(gettext_noop("Plug the node in again; a controller starts a substitute elsewhere only for pods that have an owner."), ("get", "nodes", "--watch")),),
    ),
    Situation(
        "node-refused",
        gettext_noop("The node refused the pod"),
        gettext_noop("The kubelet on {node} did not admit the pod: {reason}."),
        gettext_noop("{message}"),
        Try(gettext_noop("Look at the pod's message and at the node."), _DESCRIBE),
        (Try(gettext_noop("Leave nodeName away, so that the scheduler looks for a node with room."), path="spec.nodeName"),),
    ),
)  # fmt: skip

# What the scheduler's plugins say of a node (pkg/scheduler/framework/plugins/*) → the situation.
_REJECTIONS = (
    ("Insufficient cpu", "insufficient-cpu"),
    ("Insufficient memory", "insufficient-memory"),
    ("Too many pods", "too-many-pods"),
    ("Insufficient ", "insufficient-other"),
    ("didn't match Pod's node affinity/selector", "node-selector"),
    ("untolerated taint", "untolerated-taint"),
    ("were unschedulable", "node-cordoned"),
    ("didn't have free ports", "host-port-taken"),
    ("plugin(s) [NodeAffinity]", "node-selector"),
    ("didn't match pod affinity rules", "pod-affinity"),
    ("didn't match pod anti-affinity rules", "pod-anti-affinity"),
    ("existing pods anti-affinity rules", "existing-anti-affinity"),
    ("(missing required label)", "topology-label"),
    ("topology spread constraints", "topology-spread"),
)
# Where the manifest asks for what such a node does not give.
_FIELDS = {
    "node-selector": ("nodeSelector", "affinity"),
    "untolerated-taint": ("tolerations",),
    "pod-affinity": ("affinity",),
    "pod-anti-affinity": ("affinity",),
    "topology-label": ("topologySpreadConstraints",),
    "topology-spread": ("topologySpreadConstraints",),
}
_ADMISSION = ("OutOf", "NodeAffinity", "NodePorts", "NodeName", "TaintToleration", "UnexpectedAdmissionError", "SysctlForbidden", "PodOSNotSupported", "AppArmor")  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    if case.gone or case.deleting:
        return
    reason = str(case.status.get("reason") or "")
    node = str(case.spec.get("nodeName") or "")
    if case.status.get("phase") == "Failed" and reason.startswith(_ADMISSION):
        told = of_event(case.event(reason), of_status(str(case.status.get("message") or reason)))
        message = str(case.status.get("message") or reason)
        yield finding("node-refused", case, told, told, node=node, reason=reason, message=message)
    elif case.over:
        return
    elif node:
        yield from _on_node(case, node)
    else:
        yield from _without_node(case)


def _on_node(case: Case, node: str) -> Iterator[Finding]:
    if case.nodes is None:
        return
    named = of_yaml("spec.nodeName", f"nodeName: {node}")
    known = case.nodes.get(node)
    if known is None:
        yield finding("node-absent", case, named, named, node=node)
        return
    conditions = (known.get("status") or {}).get("conditions") or ()
    ready: Manifest = next((one for one in conditions if one["type"] == "Ready"), {})
    if ready.get("status") != "True":
        told = Evidence("node", f"{node}: Ready={ready.get('status', 'Unknown')} {ready.get('message') or ''}".strip())
        yield finding("node-not-ready", case, told, named, node=node)


def _without_node(case: Case) -> Iterator[Finding]:
    scheduler = str(case.spec.get("schedulerName") or DEFAULT_SCHEDULER)
    if gates := case.spec.get("schedulingGates"):
        gate = of_yaml("spec.schedulingGates")
        yield finding("scheduling-gated", case, gate, gate, gate=gates[0].get("name", ""))
        return
    if scheduler != DEFAULT_SCHEDULER:
        name = of_yaml("spec.schedulerName", f"schedulerName: {scheduler}")
        yield finding("scheduler-unknown", case, name, name, scheduler=scheduler)
        return
    verdict = case.condition("PodScheduled")
    if verdict.get("status") != "False":
        stored = of_status("PodScheduled: ?", "status.conditions")
        yield finding("not-scheduled-yet", case, stored, stored)
        return
    if place := str(case.status.get("nominatedNodeName") or ""):
        kept = of_status(f"nominatedNodeName: {place}", "status.nominatedNodeName")
        yield finding("making-room", case, kept, of_yaml("spec.priority"), node=place)
        return
    yield from _refused(case, str(verdict.get("message") or ""))


def _refused(case: Case, message: str) -> Iterator[Finding]:
    told = of_event(case.event("FailedScheduling"), of_status(message, "status.conditions"))
    if "no nodes available" in message:
        yield finding("no-nodes", case, told, told)
        return
    if "persistentvolumeclaim" in message and "not found" in message:
        claim = message.split('"')[1] if message.count('"') > 1 else ""
        yield finding("claim-missing", case, told, of_yaml("spec.volumes"), claim=claim)
        return
    if "unbound immediate PersistentVolumeClaims" in message:
        yield finding("claim-unbound", case, told, of_yaml("spec.volumes"))
        return
    rejections = dict(case.rejections) or {"": [message]}
    found = False
    for id in dict.fromkeys(situation for _, situation in _REJECTIONS):
        nodes = [node for node, reasons in rejections.items() if any(_means(reason, id) for reason in reasons)]
        if not nodes:
            continue
        found = True
        said = [reason for node in nodes for reason in rejections[node] if _means(reason, id)]
        fields: dict[str, Any] = {
            "nodes": ", ".join(filter(None, nodes)) or message,
            "taints": "; ".join(dict.fromkeys(said)),
            "first": next(filter(None, nodes), "NODE"),
            "label": next(
                (f"{key}={value}" for key, value in (case.spec.get("nodeSelector") or {}).items()), "KEY=VALUE"
            ),
            "taint": said[0].partition("untolerated taint {")[2].partition(":")[0] or "KEY",
        }
        resource = said[0].partition("Insufficient ")[2].partition(".")[0]
        yield finding(id, case, told, _asked_for(case, id), resource=resource, **fields)
    if not found:
        yield finding("unschedulable", case, told, told, message=message)


def _means(reason: str, id: str) -> bool:
    """Whether a node's reason is this situation; the first row of the table that fits decides."""
    return next((situation for words, situation in _REJECTIONS if words in reason), "") == id


def _asked_for(case: Case, id: str) -> Evidence:
    """The part of the manifest that the nodes could not satisfy."""
    if id.startswith("insufficient") or id == "too-many-pods":
        for container in case.containers():
            if container.spec.spec.get("resources"):
                return of_yaml(f"{container.path}.resources")
    for name in _FIELDS.get(id, ()):
        if case.spec.get(name):
            return of_yaml(f"spec.{name}")
    return of_yaml("spec.containers")
