"""What go_types.py tells about the core types, for apps/v1 and batch/v1 (staging/src/k8s.io/api/{apps,batch}/v1)."""

from __future__ import annotations

from collections.abc import Mapping

_CONDITION_STATUS = {"status": "v1.ConditionStatus"}

STRING_TYPES: Mapping[str, Mapping[str, str]] = {
    "DeploymentStrategy": {"type": "v1.DeploymentStrategyType"},
    "DeploymentCondition": {"type": "v1.DeploymentConditionType", **_CONDITION_STATUS},
    "ReplicaSetCondition": {"type": "v1.ReplicaSetConditionType", **_CONDITION_STATUS},
    "StatefulSetSpec": {"podManagementPolicy": "v1.PodManagementPolicyType"},
    "StatefulSetUpdateStrategy": {"type": "v1.StatefulSetUpdateStrategyType"},
    "StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": "v1.PersistentVolumeClaimRetentionPolicyType",
        "whenScaled": "v1.PersistentVolumeClaimRetentionPolicyType",
    },
    "StatefulSetCondition": {"type": "v1.StatefulSetConditionType", **_CONDITION_STATUS},
    "DaemonSetUpdateStrategy": {"type": "v1.DaemonSetUpdateStrategyType"},
    "DaemonSetCondition": {"type": "v1.DaemonSetConditionType", **_CONDITION_STATUS},
    "JobSpec": {"completionMode": "v1.CompletionMode", "podReplacementPolicy": "v1.PodReplacementPolicy"},
    "JobCondition": {"type": "v1.JobConditionType", **_CONDITION_STATUS},
    "CronJobSpec": {"concurrencyPolicy": "v1.ConcurrencyPolicy"},
    "PodFailurePolicyRule": {"action": "v1.PodFailurePolicyAction"},
    "PodFailurePolicyOnExitCodesRequirement": {"operator": "v1.PodFailurePolicyOnExitCodesOperator"},
    "PodFailurePolicyOnPodConditionsPattern": {"type": "v1.PodConditionType", **_CONDITION_STATUS},
    "UncountedTerminatedPods": {"succeeded": "types.UID", "failed": "types.UID"},
}

POINTERS: Mapping[str, set[str]] = {
    "DeploymentSpec": {"replicas", "revisionHistoryLimit", "progressDeadlineSeconds"},
    "DeploymentStatus": {"collisionCount", "terminatingReplicas"},
    "ReplicaSetSpec": {"replicas"},
    "ReplicaSetStatus": {"terminatingReplicas"},
    "StatefulSetSpec": {"replicas", "revisionHistoryLimit"},
    "StatefulSetStatus": {"collisionCount"},
    "RollingUpdateStatefulSetStrategy": {"partition"},
    "DaemonSetSpec": {"revisionHistoryLimit"},
    "DaemonSetStatus": {"collisionCount"},
    "JobSpec": {
        "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex",
        "maxFailedIndexes", "manualSelector", "ttlSecondsAfterFinished", "completionMode", "suspend",
        "podReplacementPolicy", "managedBy",
    },
    "JobStatus": {"terminating", "ready", "failedIndexes"},
    "SuccessPolicyRule": {"succeededIndexes", "succeededCount"},
    "PodFailurePolicyOnExitCodesRequirement": {"containerName"},
    "CronJobSpec": {
        "timeZone", "startingDeadlineSeconds", "suspend", "successfulJobsHistoryLimit", "failedJobsHistoryLimit",
    },
}  # fmt: skip

KEPT_EMPTY: Mapping[str, set[str]] = {
    "PodFailurePolicy": {"rules"},
    "PodFailurePolicyOnExitCodesRequirement": {"values"},
    "SuccessPolicy": {"rules"},
}

KEPT_ZERO: Mapping[str, set[str]] = {
    "StatefulSetSpec": {"serviceName"},
    "StatefulSetStatus": {"availableReplicas"},
    "StatefulSetOrdinals": {"start"},
}
