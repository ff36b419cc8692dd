"""The values of fields that take only some of all texts: validation's own lists. The published schema leaves them out."""

from __future__ import annotations

from podlab.apis.validation import containers, environment, placement, pod, volume_sources

_NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")

CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("Container", "imagePullPolicy"): containers.PULL_POLICIES,
    ("Container", "restartPolicy"): ("Always", "Never", "OnFailure"),
    ("Container", "terminationMessagePolicy"): ("File", "FallbackToLogsOnError"),
    ("ContainerPort", "protocol"): containers.PROTOCOLS,
    ("DaemonSetUpdateStrategy", "type"): ("RollingUpdate", "OnDelete"),
    ("DeploymentStrategy", "type"): ("RollingUpdate", "Recreate"),
    ("EmptyDirVolumeSource", "medium"): ("Memory",),
    ("HTTPGetAction", "scheme"): ("HTTP", "HTTPS"),
    ("HostPathVolumeSource", "type"): tuple(one for one in volume_sources.HOST_PATH_TYPES if one),
    ("NodeSelectorRequirement", "operator"): _NODE_OPERATORS,
    ("ObjectFieldSelector", "fieldPath"): environment.ENV_FIELDS,
    ("PodSpec", "dnsPolicy"): pod.DNS_POLICIES,
    ("PodSpec", "preemptionPolicy"): ("Never", "PreemptLowerPriority"),
    ("PodSpec", "restartPolicy"): pod.RESTART_POLICIES,
    ("ResourceFieldSelector", "resource"): environment.RESOURCES,
    ("SeccompProfile", "type"): ("RuntimeDefault", "Unconfined", "Localhost"),
    ("ServicePort", "protocol"): containers.PROTOCOLS,
    ("ServiceSpec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("Toleration", "effect"): placement.EFFECTS,
    ("Toleration", "operator"): placement.OPERATORS,
    ("VolumeMount", "mountPropagation"): ("None", "HostToContainer", "Bidirectional"),
}


def of(definition: str, field: str) -> tuple[str, ...]:
    """For the full or the short name of a definition; () when every value will do."""
    return CHOICES.get((definition.rsplit(".", 1)[-1], field), ())
