"""What go_types.py tells about pods, for services, claims, quotas, policies and autoscalers (staging/src/k8s.io/api)."""

from __future__ import annotations

from collections.abc import Mapping

_PROTOCOL = {"protocol": "v1.Protocol"}

STRING_TYPES: Mapping[str, Mapping[str, str]] = {
    "ServiceSpec": {
        "type": "v1.ServiceType", "sessionAffinity": "v1.ServiceAffinity", "ipFamilies": "v1.IPFamily",
        "externalTrafficPolicy": "v1.ServiceExternalTrafficPolicy", "ipFamilyPolicy": "v1.IPFamilyPolicy",
        "internalTrafficPolicy": "v1.ServiceInternalTrafficPolicy",
    },
    "ServicePort": _PROTOCOL,
    "EndpointPort": _PROTOCOL,
    "PortStatus": _PROTOCOL,
    "LoadBalancerIngress": {"ipMode": "v1.LoadBalancerIPMode"},
    "EndpointSlice": {"addressType": "v1.AddressType"},
    "PersistentVolumeClaimSpec": {
        "accessModes": "v1.PersistentVolumeAccessMode", "volumeMode": "v1.PersistentVolumeMode",
    },
    "PersistentVolumeClaimStatus": {
        "phase": "v1.PersistentVolumeClaimPhase", "accessModes": "v1.PersistentVolumeAccessMode",
    },
    "PersistentVolumeSpec": {
        "accessModes": "v1.PersistentVolumeAccessMode", "volumeMode": "v1.PersistentVolumeMode",
        "persistentVolumeReclaimPolicy": "v1.PersistentVolumeReclaimPolicy",
    },
    "PersistentVolumeStatus": {"phase": "v1.PersistentVolumePhase"},
    "PersistentVolumeClaimCondition": {
        "type": "v1.PersistentVolumeClaimConditionType", "status": "v1.ConditionStatus",
    },
    "ModifyVolumeStatus": {"status": "v1.PersistentVolumeClaimModifyVolumeStatus"},
    "IngressPortStatus": _PROTOCOL,
    "LimitRangeItem": {"type": "v1.LimitType"},
    "ResourceQuotaSpec": {"scopes": "v1.ResourceQuotaScope"},
    "ScopedResourceSelectorRequirement": {
        "scopeName": "v1.ResourceQuotaScope", "operator": "v1.ScopeSelectorOperator",
    },
    "ReplicationControllerCondition": {
        "type": "v1.ReplicationControllerConditionType", "status": "v1.ConditionStatus",
    },
    "PodDisruptionBudgetSpec": {"unhealthyPodEvictionPolicy": "v1.UnhealthyPodEvictionPolicyType"},
    "PriorityClass": {"preemptionPolicy": "v1.PreemptionPolicy"},
    "LeaseSpec": {"strategy": "v1.CoordinatedLeaseStrategy"},
    "MetricSpec": {"type": "v2.MetricSourceType"},
    "MetricStatus": {"type": "v2.MetricSourceType"},
    "HorizontalPodAutoscalerCondition": {
        "type": "v2.HorizontalPodAutoscalerConditionType", "status": "v1.ConditionStatus",
    },
    "ResourceMetricStatus": {"name": "v1.ResourceName"},
    "ContainerResourceMetricStatus": {"name": "v1.ResourceName"},
    "MetricTarget": {"type": "v2.MetricTargetType"},
    "ResourceMetricSource": {"name": "v1.ResourceName"},
    "ContainerResourceMetricSource": {"name": "v1.ResourceName"},
    "NetworkPolicyPort": _PROTOCOL,
    "NetworkPolicySpec": {"policyTypes": "v1.PolicyType"},
    "HTTPIngressPath": {"pathType": "v1.PathType"},
    "StorageClass": {
        "reclaimPolicy": "v1.PersistentVolumeReclaimPolicy", "volumeBindingMode": "v1.VolumeBindingMode",
    },
    "HPAScalingRules": {"selectPolicy": "v2.ScalingPolicySelect"},
    "HPAScalingPolicy": {"type": "v2.HPAScalingPolicyType"},
}  # fmt: skip

POINTERS: Mapping[str, set[str]] = {
    "ServiceSpec": {
        "internalTrafficPolicy", "ipFamilyPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass",
        "trafficDistribution",
    },
    "ServicePort": {"appProtocol"},
    "ClientIPConfig": {"timeoutSeconds"},
    "LoadBalancerIngress": {"ipMode"},
    "PortStatus": {"error"},
    "EndpointAddress": {"nodeName"},
    "EndpointPort": {"name", "protocol", "port", "appProtocol"},  # those of slices; Endpoints have plain strings
    "EndpointConditions": {"ready", "serving", "terminating"},
    "Endpoint": {"hostname", "nodeName", "zone"},
    "ReplicationControllerSpec": {"replicas"},
    "PodDisruptionBudgetSpec": {"unhealthyPodEvictionPolicy"},
    "HorizontalPodAutoscalerSpec": {"minReplicas", "targetCPUUtilizationPercentage"},
    "HorizontalPodAutoscalerStatus": {"observedGeneration", "currentCPUUtilizationPercentage"},
    "HPAScalingRules": {"stabilizationWindowSeconds", "selectPolicy"},
    "MetricTarget": {"averageUtilization"},
    "MetricValueStatus": {"averageUtilization"},
    "LeaseSpec": {"holderIdentity", "leaseDurationSeconds", "leaseTransitions", "strategy", "preferredHolder"},
    "PriorityClass": {"preemptionPolicy"},
    "PersistentVolumeSpec": {"volumeMode", "volumeAttributesClassName"},
    "PersistentVolumeClaimStatus": {"currentVolumeAttributesClassName"},
    "LocalVolumeSource": {"fsType"},
    "NetworkPolicyPort": {"protocol", "endPort"},
    "IngressSpec": {"ingressClassName"},
    "HTTPIngressPath": {"pathType"},
    "IngressClassParametersReference": {"apiGroup", "scope", "namespace"},
    "StorageClass": {"reclaimPolicy", "allowVolumeExpansion", "volumeBindingMode"},
    "AzureFilePersistentVolumeSource": {"secretNamespace"},
    "GlusterfsPersistentVolumeSource": {"endpointsNamespace"},
    "ISCSIPersistentVolumeSource": {"initiatorName"},
    "IngressPortStatus": {"error"},
    "NodeFeatures": {"supplementalGroupsPolicy"},
    "NodeRuntimeHandlerFeatures": {"recursiveReadOnlyMounts", "userNamespaces"},
    "NodeSwapStatus": {"capacity"},
    "PodResourceClaimStatus": {"resourceClaimName"},
    "VolumeMountStatus": {"recursiveReadOnly"},
    "TokenRequestSpec": {"expirationSeconds"},
}  # fmt: skip

KEPT_EMPTY: Mapping[str, set[str]] = {"HPAScalingRules": {"policies"}}

KEPT_ZERO: Mapping[str, set[str]] = {
    "PodDisruptionBudgetStatus": {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"},
    "ReplicationControllerStatus": {"replicas"},
    "PriorityClass": {"value"},
}
