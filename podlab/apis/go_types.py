"""What the OpenAPI definitions do not tell about Kubernetes' Go types.

schema_check.py needs it for exact error texts and for what survives a round trip: the names of string types, which
structs are embedded into others, and which optional scalars are pointers (a zero value of theirs is kept).
Source: staging/src/k8s.io/api/core/v1/types.go and the .proto files beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podlab.apis import go_types_cluster as cluster
from podlab.apis import go_types_workloads as workloads

# Definition, then field: the Go type of the field (or of the elements of a list).
STRING_TYPES: Mapping[str, Mapping[str, str]] = {
    "ObjectMeta": {"uid": "types.UID"},
    "OwnerReference": {"uid": "types.UID"},
    "ObjectReference": {"uid": "types.UID"},
    "PodSpec": {
        "restartPolicy": "v1.RestartPolicy", "dnsPolicy": "v1.DNSPolicy", "preemptionPolicy": "v1.PreemptionPolicy",
    },
    "Container": {
        "imagePullPolicy": "v1.PullPolicy", "terminationMessagePolicy": "v1.TerminationMessagePolicy",
        "restartPolicy": "v1.ContainerRestartPolicy",
    },
    "EphemeralContainer": {
        "imagePullPolicy": "v1.PullPolicy", "terminationMessagePolicy": "v1.TerminationMessagePolicy",
        "restartPolicy": "v1.ContainerRestartPolicy",
    },
    "ContainerRestartRule": {"action": "v1.ContainerRestartRuleAction"},
    "ContainerRestartRuleOnExitCodes": {"operator": "v1.ContainerRestartRuleOnExitCodesOperator"},
    "Lifecycle": {"stopSignal": "v1.Signal"},
    "ContainerStatus": {"stopSignal": "v1.Signal"},
    "ImageVolumeSource": {"pullPolicy": "v1.PullPolicy"},
    "AzureDiskVolumeSource": {"cachingMode": "v1.AzureDataDiskCachingMode", "kind": "v1.AzureDataDiskKind"},
    "ContainerPort": {"protocol": "v1.Protocol"},
    "ContainerResizePolicy": {"resourceName": "v1.ResourceName", "restartPolicy": "v1.ResourceResizeRestartPolicy"},
    "HTTPGetAction": {"scheme": "v1.URIScheme"},
    "Toleration": {"operator": "v1.TolerationOperator", "effect": "v1.TaintEffect"},
    "Taint": {"effect": "v1.TaintEffect"},
    "Capabilities": {"add": "v1.Capability", "drop": "v1.Capability"},
    "SecurityContext": {"procMount": "v1.ProcMountType"},
    "PodSecurityContext": {
        "fsGroupChangePolicy": "v1.PodFSGroupChangePolicy", "supplementalGroupsPolicy": "v1.SupplementalGroupsPolicy",
        "seLinuxChangePolicy": "v1.PodSELinuxChangePolicy",
    },
    "SeccompProfile": {"type": "v1.SeccompProfileType"},
    "AppArmorProfile": {"type": "v1.AppArmorProfileType"},
    "VolumeMount": {"mountPropagation": "v1.MountPropagationMode", "recursiveReadOnly": "v1.RecursiveReadOnlyMode"},
    "EmptyDirVolumeSource": {"medium": "v1.StorageMedium"},
    "HostPathVolumeSource": {"type": "v1.HostPathType"},
    "TopologySpreadConstraint": {
        "whenUnsatisfiable": "v1.UnsatisfiableConstraintAction", "nodeAffinityPolicy": "v1.NodeInclusionPolicy",
        "nodeTaintsPolicy": "v1.NodeInclusionPolicy",
    },
    "LabelSelectorRequirement": {"operator": "v1.LabelSelectorOperator"},
    "NodeSelectorRequirement": {"operator": "v1.NodeSelectorOperator"},
    "PodStatus": {"phase": "v1.PodPhase", "qosClass": "v1.PodQOSClass", "resize": "v1.PodResizeStatus"},
    "ResourceHealth": {"health": "v1.ResourceHealthStatus", "resourceID": "v1.ResourceID"},
    "ResourceStatus": {"name": "v1.ResourceName"},
    "VolumeMountStatus": {"recursiveReadOnly": "v1.RecursiveReadOnlyMode"},
    "PodCondition": {"type": "v1.PodConditionType", "status": "v1.ConditionStatus"},
    "PodReadinessGate": {"conditionType": "v1.PodConditionType"},
    "PodOS": {"name": "v1.OSName"},
    "Secret": {"type": "v1.SecretType"},
    "NamespaceSpec": {"finalizers": "v1.FinalizerName"},
    "NamespaceStatus": {"phase": "v1.NamespacePhase"},
    "NamespaceCondition": {"type": "v1.NamespaceConditionType", "status": "v1.ConditionStatus"},
    "NodeStatus": {"phase": "v1.NodePhase", "volumesInUse": "v1.UniqueVolumeName"},
    "NodeCondition": {"type": "v1.NodeConditionType", "status": "v1.ConditionStatus"},
    "NodeAddress": {"type": "v1.NodeAddressType"},
    "AttachedVolume": {"name": "v1.UniqueVolumeName"},
    "Condition": {"status": "v1.ConditionStatus"},
    "DeleteOptions": {"propagationPolicy": "v1.DeletionPropagation"},
    "Preconditions": {"uid": "types.UID"},
    "ManagedFieldsEntry": {"operation": "v1.ManagedFieldsOperationType"},
    "BoundObjectReference": {"uid": "types.UID"},
    **cluster.STRING_TYPES,
    **workloads.STRING_TYPES,
}  # fmt: skip

# Maps of quantities have a name of their own; every other map prints its element type.
RESOURCE_LIST = "v1.ResourceList"

# Fields of an embedded struct belong to the outer object in JSON, but the path of a type error names the struct.
_LOCAL_REFERENCE = {"name": "LocalObjectReference"}
EMBEDDED: Mapping[str, Mapping[str, str]] = {
    "Probe": dict.fromkeys(("exec", "httpGet", "tcpSocket", "grpc"), "ProbeHandler"),
    "ConfigMapVolumeSource": _LOCAL_REFERENCE,
    "ConfigMapProjection": _LOCAL_REFERENCE,
    "SecretProjection": _LOCAL_REFERENCE,
    "ConfigMapKeySelector": _LOCAL_REFERENCE,
    "SecretKeySelector": _LOCAL_REFERENCE,
    "ConfigMapEnvSource": _LOCAL_REFERENCE,
    "SecretEnvSource": _LOCAL_REFERENCE,
}
_OWN_FIELDS = {
    "Volume": ({"name"}, "VolumeSource"),
    "EphemeralContainer": ({"targetContainerName"}, "EphemeralContainerCommon"),
    "IngressRule": ({"host"}, "IngressRuleValue"),
    "PersistentVolumeSpec": (
        {
            "capacity",
            "accessModes",
            "claimRef",
            "persistentVolumeReclaimPolicy",
            "storageClassName",
            "mountOptions",
            "volumeMode",
            "nodeAffinity",
            "volumeAttributesClassName",
        },
        "PersistentVolumeSource",
    ),
}


def embedded_struct(definition: str, field: str) -> str:
    """The struct between `definition` and `field`; "" when the field is its own."""
    if definition in _OWN_FIELDS:
        own, struct = _OWN_FIELDS[definition]
        return "" if field in own else struct
    return EMBEDDED.get(definition, {}).get(field, "")


# Optional scalars that are pointers in Go: null and absent are one thing, zero is another and is kept.
_CONTAINER = {"restartPolicy"}
POINTERS: Mapping[str, set[str]] = {
    "ObjectMeta": {"deletionGracePeriodSeconds"},
    "OwnerReference": {"controller", "blockOwnerDeletion"},
    "PodSpec": {
        "terminationGracePeriodSeconds", "activeDeadlineSeconds", "automountServiceAccountToken", "priority",
        "shareProcessNamespace", "runtimeClassName", "enableServiceLinks", "preemptionPolicy", "setHostnameAsFQDN",
        "hostUsers", "hostnameOverride",
    },
    "Container": _CONTAINER,
    "EphemeralContainer": _CONTAINER,
    "ContainerStatus": {"started", "stopSignal"},
    "Probe": {"terminationGracePeriodSeconds"},
    "GRPCAction": {"service"},
    "Lifecycle": {"stopSignal"},
    "VolumeMount": {"mountPropagation", "recursiveReadOnly"},
    "HostPathVolumeSource": {"type"},
    "SecretVolumeSource": {"defaultMode", "optional"},
    "ConfigMapVolumeSource": {"defaultMode", "optional"},
    "DownwardAPIVolumeSource": {"defaultMode"},
    "DownwardAPIVolumeFile": {"mode"},
    "ProjectedVolumeSource": {"defaultMode"},
    "KeyToPath": {"mode"},
    "SecretProjection": {"optional"},
    "ConfigMapProjection": {"optional"},
    "ClusterTrustBundleProjection": {"name", "signerName", "optional"},
    "ServiceAccountTokenProjection": {"expirationSeconds"},
    "PodCertificateProjection": {"maxExpirationSeconds"},
    "ConfigMapEnvSource": {"optional"},
    "SecretEnvSource": {"optional"},
    "ConfigMapKeySelector": {"optional"},
    "SecretKeySelector": {"optional"},
    "FileKeySelector": {"optional"},
    "CSIVolumeSource": {"readOnly", "fsType"},
    "SecurityContext": {
        "privileged", "runAsUser", "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem", "allowPrivilegeEscalation",
        "procMount",
    },
    "PodSecurityContext": {
        "runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "fsGroupChangePolicy", "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    },
    "SeccompProfile": {"localhostProfile"},
    "AppArmorProfile": {"localhostProfile"},
    "WindowsSecurityContextOptions": {
        "gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName", "hostProcess",
    },
    "Toleration": {"tolerationSeconds"},
    "TopologySpreadConstraint": {"minDomains", "nodeAffinityPolicy", "nodeTaintsPolicy"},
    "PodDNSConfigOption": {"value"},
    "PodResourceClaim": {"resourceClaimName", "resourceClaimTemplateName"},
    "TypedLocalObjectReference": {"apiGroup"},
    "TypedObjectReference": {"apiGroup", "namespace"},
    "PersistentVolumeClaimSpec": {"storageClassName", "volumeMode", "volumeAttributesClassName"},
    "ConfigMap": {"immutable"},
    "Secret": {"immutable"},
    "ServiceAccount": {"automountServiceAccountToken"},
    "AzureDiskVolumeSource": {"cachingMode", "fsType", "readOnly", "kind"},
    "ISCSIVolumeSource": {"initiatorName"},
    "ScaleIOVolumeSource": set(),
    "FCVolumeSource": {"lun"},
    "DeleteOptions": {
        "gracePeriodSeconds", "orphanDependents", "propagationPolicy", "ignoreStoreReadErrorWithClusterBreakingPotential",
    },
    "PodSchedulingGroup": {"podGroupName"},
    "ResourceHealth": {"message"},
    "Preconditions": {"uid", "resourceVersion"},
    **cluster.POINTERS,
    **workloads.POINTERS,
}  # fmt: skip

# Empty lists and maps vanish, except where the Go field has no omitempty.
KEPT_EMPTY: Mapping[str, set[str]] = {
    "NodeSelector": {"nodeSelectorTerms"},
    **cluster.KEPT_EMPTY,
    **workloads.KEPT_EMPTY,
}

# Fields without omitempty that nothing refuses when they are left out: their zero value is written then. The same for
# structs that are no pointers.
ALWAYS: Mapping[str, Mapping[str, Any]] = {
    "HTTPHeader": {"name": "", "value": ""},
    "Sysctl": {"name": "", "value": ""},
    "SleepAction": {"seconds": 0},
    "PreferredSchedulingTerm": {"weight": 0, "preference": {}},
    "ForZone": {"name": ""},
    "ForNode": {"name": ""},
    "PersistentVolumeClaimTemplate": {"metadata": {}},
    "OwnerReference": {"apiVersion": "", "kind": "", "name": "", "uid": ""},
}

# Zero values that are written although the field is no pointer (no omitempty in types.go).
KEPT_ZERO: Mapping[str, set[str]] = {
    "ContainerStatus": {"ready", "restartCount", "image", "imageID", "name"},
    "ContainerStateTerminated": {"exitCode"},
    "Event": {"reportingComponent", "reportingInstance"},
    "ContainerPort": {"containerPort"},
    "ExecAction": set(),
    **cluster.KEPT_ZERO,
    **workloads.KEPT_ZERO,
}
