"""Every reason that podlab writes into events, conditions and container states.

Kubernetes' own strings (pkg/kubelet/events/event.go, pkg/kubelet/container/sync_result.go, core/v1 types); tools and
people search for them, so they are never made up on the spot.
"""

from __future__ import annotations

# Container and pod events of the kubelet.
CREATED = "Created"
STARTED = "Started"
FAILED = "Failed"
KILLING = "Killing"
PREEMPTING = "Preempting"
BACK_OFF = "BackOff"
EXCEEDED_GRACE_PERIOD = "ExceededGracePeriod"
FAILED_KILL_POD = "FailedKillPod"
FAILED_CREATE_POD_CONTAINER = "FailedCreatePodContainer"
NETWORK_NOT_READY = "NetworkNotReady"
UNHEALTHY = "Unhealthy"
PROBE_WARNING = "ProbeWarning"
FAILED_SYNC = "FailedSync"
FAILED_VALIDATION = "FailedValidation"
FAILED_POST_START_HOOK = "FailedPostStartHook"
FAILED_PRE_STOP_HOOK = "FailedPreStopHook"
FAILED_CREATE_POD_SANDBOX = "FailedCreatePodSandBox"
FAILED_POD_SANDBOX_STATUS = "FailedPodSandBoxStatus"
SANDBOX_CHANGED = "SandboxChanged"
DNS_CONFIG_FORMING = "DNSConfigForming"

# Resizing in place.
RESIZE_STARTED = "ResizeStarted"
RESIZE_COMPLETED = "ResizeCompleted"
RESIZE_DEFERRED = "ResizeDeferred"
RESIZE_INFEASIBLE = "ResizeInfeasible"
RESIZE_ERROR = "ResizeError"

# Images.
PULLING = "Pulling"
PULLED = "Pulled"
ERR_IMAGE_NEVER_PULL = "ErrImageNeverPull"
FAILED_TO_INSPECT_IMAGE = "InspectFailed"
FAILED_TO_RETRIEVE_IMAGE_PULL_SECRET = "FailedToRetrieveImagePullSecret"

# Volumes.
FAILED_MOUNT = "FailedMount"
FAILED_ATTACH_VOLUME = "FailedAttachVolume"
SUCCESSFUL_MOUNT = "SuccessfulMountVolume"

# Node.
STARTING = "Starting"
NODE_READY = "NodeReady"
NODE_NOT_READY = "NodeNotReady"
NODE_SCHEDULABLE = "NodeSchedulable"
NODE_NOT_SCHEDULABLE = "NodeNotSchedulable"
NODE_HAS_SUFFICIENT_MEMORY = "NodeHasSufficientMemory"
NODE_HAS_NO_DISK_PRESSURE = "NodeHasNoDiskPressure"
NODE_HAS_SUFFICIENT_PID = "NodeHasSufficientPID"
NODE_ALLOCATABLE_ENFORCED = "NodeAllocatableEnforced"
REBOOTED = "Rebooted"
REGISTERED_NODE = "RegisteredNode"
REMOVING_NODE = "RemovingNode"
EVICTION_THRESHOLD_MET = "EvictionThresholdMet"
SYSTEM_OOM = "SystemOOM"

# Scheduler and taints.
SCHEDULED = "Scheduled"
FAILED_SCHEDULING = "FailedScheduling"
PREEMPTED = "Preempted"
TAINT_MANAGER_EVICTION = "TaintManagerEviction"

# Waiting.
POD_INITIALIZING = "PodInitializing"
CONTAINER_CREATING = "ContainerCreating"
CRASH_LOOP_BACK_OFF = "CrashLoopBackOff"
IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
ERR_IMAGE_PULL = "ErrImagePull"
INVALID_IMAGE_NAME = "InvalidImageName"
IMAGE_INSPECT_ERROR = "ImageInspectError"
REGISTRY_UNAVAILABLE = "RegistryUnavailable"
SIGNATURE_VALIDATION_FAILED = "SignatureValidationFailed"
CREATE_CONTAINER_CONFIG_ERROR = "CreateContainerConfigError"
CREATE_CONTAINER_ERROR = "CreateContainerError"
RUN_CONTAINER_ERROR = "RunContainerError"
POST_START_HOOK_ERROR = "PostStartHookError"
PRE_CREATE_HOOK_ERROR = "PreCreateHookError"

# Terminated.
COMPLETED = "Completed"
ERROR = "Error"
OOM_KILLED = "OOMKilled"
CONTAINER_STATUS_UNKNOWN = "ContainerStatusUnknown"
CONTAINER_CANNOT_RUN = "ContainerCannotRun"
START_ERROR = "StartError"

# Pod status.
DEADLINE_EXCEEDED = "DeadlineExceeded"
EVICTED = "Evicted"
NODE_LOST = "NodeLost"
SHUTDOWN = "Terminated"
UNEXPECTED_ADMISSION_ERROR = "UnexpectedAdmissionError"
NODE_AFFINITY = "NodeAffinity"
NODE_NAME = "NodeName"
NODE_PORTS = "NodePorts"
TAINT_TOLERATION = "TaintToleration"
POD_OS_NOT_SUPPORTED = "PodOSNotSupported"
SYSCTL_FORBIDDEN = "SysctlForbidden"
OUT_OF_PREFIX = "OutOf"

# Conditions.
POD_COMPLETED = "PodCompleted"
POD_FAILED = "PodFailed"
CONTAINERS_NOT_READY = "ContainersNotReady"
CONTAINERS_NOT_INITIALIZED = "ContainersNotInitialized"
READINESS_GATES_NOT_READY = "ReadinessGatesNotReady"
UNKNOWN_CONTAINER_STATUSES = "UnknownContainerStatuses"
UNSCHEDULABLE = "Unschedulable"
SCHEDULING_GATED = "SchedulingGated"
SCHEDULER_ERROR = "SchedulerError"
KUBELET_READY = "KubeletReady"
KUBELET_NOT_READY = "KubeletNotReady"
KUBELET_HAS_SUFFICIENT_MEMORY = "KubeletHasSufficientMemory"
KUBELET_HAS_NO_DISK_PRESSURE = "KubeletHasNoDiskPressure"
KUBELET_HAS_SUFFICIENT_PID = "KubeletHasSufficientPID"
NODE_STATUS_UNKNOWN = "NodeStatusUnknown"
NODE_STATUS_NEVER_UPDATED = "NodeStatusNeverUpdated"
DELETION_BY_TAINT_MANAGER = "DeletionByTaintManager"
DELETION_BY_POD_GC = "DeletionByPodGC"
TERMINATION_BY_KUBELET = "TerminationByKubelet"
PREEMPTION_BY_SCHEDULER = "PreemptionByScheduler"
EVICTION_BY_EVICTION_API = "EvictionByEvictionAPI"

# Event types.
NORMAL = "Normal"
WARNING = "Warning"
