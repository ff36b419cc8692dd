"""Which fields the form has, in which order and under which words. What they are, their type and the API's sentence on each
comes from the schema; what is not named here is only in the YAML, and stays there.

Keys are the last part of a definition's name. A field may be a path of several, when what is between them needs no heading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Field:
    """`example` stands in an empty input. Of a list, `adds` are its buttons: (variant, words, what the new item is)."""

    path: str
    label: Words
    example: str = ""
    adds: tuple[tuple[str, Words, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One of several things that exclude each other; `path` "" is the choice of none."""

    path: str
    label: Words
    fresh: Any = None
    fields: tuple[Field, ...] | None = None  # None: what the layout of its definition says; () nothing


@dataclass(frozen=True, slots=True)
class Union:
    """Options of one object. `at` is where it is, "" the object itself; without any of them `at` goes away if `whole`.
    `more` comes below while one is chosen."""

    label: Words
    options: tuple[Option, ...]
    at: str = ""
    whole: bool = False
    more: tuple[Field, ...] = ()
    designer: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    label: Words
    entries: tuple[Field | Union, ...]
    id: str
    open: bool = False


Entry = Field | Union | Section
Layout = tuple[Entry, ...]

_NONE = Option("", _("none"))
_EXEC = Option("exec", _("run a command (exec)"), {"command": ["cat", "/tmp/healthy"]})
_HTTP = Option("httpGet", _("ask by HTTP (httpGet)"), {"path": "/", "port": 8080})
_TCP = Option("tcpSocket", _("open a connection (tcpSocket)"), {"port": 8080})
_GRPC = Option("grpc", _("ask by gRPC (grpc)"), {"port": 9000})
_SLEEP = Option("sleep", _("wait (sleep)"), {"seconds": 5})
_TIMING = (
    Field("initialDelaySeconds", _("Begin after (s)"), "0"),
    Field("periodSeconds", _("Every (s)"), "10"),
    Field("timeoutSeconds", _("Give up after (s)"), "1"),
    Field("successThreshold", _("Successes needed"), "1"),
    Field("failureThreshold", _("Failures allowed"), "3"),
    Field("terminationGracePeriodSeconds", _("Grace when it kills (s)"), ""),
)


def _probe(at: str, label: Words) -> Union:
    more = _TIMING if at != "readinessProbe" else _TIMING[:-1]
    return Union(label, (_NONE, _EXEC, _HTTP, _TCP, _GRPC), at, whole=True, more=more, designer=True)


def _hook(at: str, label: Words) -> Union:
    return Union(label, (_NONE, _EXEC, _HTTP, _SLEEP), at, whole=True)


_CONTAINER: Layout = (
    Field("name", _("Name"), "app"),
    Field("image", _("Image"), "busybox:1.36"),
    Section(
        _("Command"),
        (
            Field("command", _("Command")),
            Field("args", _("Arguments")),
            Field("workingDir", _("Working directory"), "/"),
            Field("imagePullPolicy", _("When to pull the image")),
            Field("restartPolicy", _("Restart policy of this container")),
            Field("stdin", _("Keep standard input open")),
            Field("tty", _("Give it a terminal")),
            Field("terminationMessagePath", _("Last words in file"), "/dev/termination-log"),
            Field("terminationMessagePolicy", _("Last words from")),
        ),
        "command",
        open=True,
    ),
    Section(
        _("Environment"),
        (
            Field("env", _("Variables"), adds=(("", _("Add variable"), {"name": "NAME", "value": ""}),)),
            Field("envFrom", _("All of a map"), adds=(("", _("Add source"), {"configMapRef": {"name": "settings"}}),)),
        ),
        "env",
    ),
    Section(_("Ports"), (Field("ports", _("Ports"), adds=(("", _("Add port"), {"containerPort": 8080}),)),), "ports"),
    Section(
        _("Probes"),
        (
            _probe("startupProbe", _("Startup probe: has it started?")),
            _probe("livenessProbe", _("Liveness probe: must it be restarted?")),
            _probe("readinessProbe", _("Readiness probe: may it be asked?")),
        ),
        "probes",
    ),
    Section(
        _("Hooks"),
        (
            _hook("lifecycle.postStart", _("After its start (postStart)")),
            _hook("lifecycle.preStop", _("Before its end (preStop)")),
        ),
        "hooks",
    ),
    Section(
        _("Resources"),
        (
            Field("resources.requests.cpu", _("CPU requested"), "100m"),
            Field("resources.limits.cpu", _("CPU limit"), "500m"),
            Field("resources.requests.memory", _("Memory requested"), "32Mi"),
            Field("resources.limits.memory", _("Memory limit"), "64Mi"),
        ),
        "resources",
    ),
    Section(
        _("Mounts"),
        (Field("volumeMounts", _("Mounts"), adds=(("", _("Add mount"), {"name": "data", "mountPath": "/data"}),)),),
        "mounts",
    ),
    Section(
        _("Security"),
        (
            Field("securityContext.runAsUser", _("Run as user"), "1000"),
            Field("securityContext.runAsGroup", _("Run as group"), "1000"),
            Field("securityContext.runAsNonRoot", _("Refuse root")),
            Field("securityContext.readOnlyRootFilesystem", _("Read-only root file system")),
            Field("securityContext.allowPrivilegeEscalation", _("May gain privileges")),
            Field("securityContext.privileged", _("Privileged")),
            Field("securityContext.capabilities.add", _("Capabilities to add"), "NET_ADMIN"),
            Field("securityContext.capabilities.drop", _("Capabilities to drop"), "ALL"),
            Field("securityContext.seccompProfile.type", _("Seccomp profile")),
        ),
        "security",
    ),
)

_APP = {"name": "app", "image": "busybox:1.36", "command": ["sh", "-c", "while true; do echo working; sleep 5; done"]}
_INIT = {"name": "init", "image": "busybox:1.36", "command": ["sh", "-c", "echo preparing; sleep 2"]}
_SIDECAR = {
    **{"name": "sidecar", "image": "busybox:1.36", "restartPolicy": "Always"},
    "command": ["sh", "-c", "while true; do echo beside; sleep 5; done"],
}
_REQUIREMENT = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-a"]}
_AFFINITY = "affinity.nodeAffinity"
_ADD_RULE = (("", _("Add rule"), _REQUIREMENT),)

_POD: Layout = (
    Section(
        _("Pod"),
        (
            Field("metadata.name", _("Name"), "web"),
            Field("metadata.labels", _("Labels")),
            Field("metadata.annotations", _("Annotations")),
        ),
        "pod",
        open=True,
    ),
    Section(
        _("Init containers and sidecars"),
        (
            Field(
                "spec.initContainers",
                _("In this order, before the containers"),
                adds=(("init", _("Add init container"), _INIT), ("sidecar", _("Add sidecar"), _SIDECAR)),
            ),
        ),
        "init",
    ),
    Section(
        _("Containers"),
        (Field("spec.containers", _("All at once"), adds=(("app", _("Add container"), _APP),)),),
        "containers",
        open=True,
    ),
    Section(
        _("Volumes"),
        (Field("spec.volumes", _("Volumes"), adds=(("", _("Add volume"), {"name": "data", "emptyDir": {}}),)),),
        "volumes",
    ),
    Section(
        _("Life"),
        (
            Field("spec.restartPolicy", _("Restart policy")),
            Field("spec.terminationGracePeriodSeconds", _("Grace period (s)"), "30"),
            Field("spec.activeDeadlineSeconds", _("Longest life (s)"), ""),
            Field("spec.serviceAccountName", _("Service account"), "default"),
            Field("spec.automountServiceAccountToken", _("Mount its token")),
            Field("spec.hostname", _("Host name")),
            Field("spec.subdomain", _("Subdomain")),
            Field("spec.dnsPolicy", _("DNS policy")),
            Field("spec.hostNetwork", _("Use the node's network")),
            Field("spec.shareProcessNamespace", _("See each other's processes")),
            Field("spec.enableServiceLinks", _("Variables of Services")),
        ),
        "life",
    ),
    Section(
        _("Security"),
        (
            Field("spec.securityContext.runAsUser", _("Run as user"), "1000"),
            Field("spec.securityContext.runAsGroup", _("Run as group"), "1000"),
            Field("spec.securityContext.runAsNonRoot", _("Refuse root")),
            Field("spec.securityContext.fsGroup", _("Group of volumes"), "2000"),
            Field("spec.securityContext.supplementalGroups", _("More groups")),
            Field("spec.securityContext.seccompProfile.type", _("Seccomp profile")),
        ),
        "pod-security",
    ),
    Section(
        _("Scheduling"),
        (
            Field("spec.nodeSelector", _("Labels that the node must have")),
            Field("spec.nodeName", _("This node, past the scheduler"), "node-a"),
            Field("spec.priorityClassName", _("Priority class")),
            Field(
                "spec.tolerations",
                _("Tolerations"),
                adds=(("", _("Add toleration"), {"key": "key", "operator": "Exists"}),),
            ),
            Field(
                f"spec.{_AFFINITY}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
                _("Nodes that will do (one of these)"),
                adds=(("", _("Add term"), {"matchExpressions": [_REQUIREMENT]}),),
            ),
            Field(
                f"spec.{_AFFINITY}.preferredDuringSchedulingIgnoredDuringExecution",
                _("Nodes that would be better"),
                adds=(("", _("Add preference"), {"weight": 10, "preference": {"matchExpressions": [_REQUIREMENT]}}),),
            ),
        ),
        "scheduling",
    ),
)

_KEY = (Field("name", _("Name")), Field("key", _("Key")), Field("optional", _("May be missing")))
_MAP = (Field("name", _("Name")), Field("optional", _("May be missing")))
_ENV: Layout = (
    Field("name", _("Name"), "LOG_LEVEL"),
    Union(
        _("Value from"),
        (
            Option("value", _("here"), "", ()),
            Option("valueFrom.configMapKeyRef", _("a config map's key"), {"name": "settings", "key": "key"}, _KEY),
            Option("valueFrom.secretKeyRef", _("a secret's key"), {"name": "secret", "key": "key"}, _KEY),
            Option("valueFrom.fieldRef", _("a field of the pod"), {"fieldPath": "metadata.name"}),
            Option("valueFrom.resourceFieldRef", _("its resources"), {"resource": "limits.memory"}),
        ),
    ),
)
_VOLUME: Layout = (
    Field("name", _("Name"), "data"),
    Union(
        _("Kind of volume"),
        (
            Option("emptyDir", _("empty folder (emptyDir)"), {}),
            Option("configMap", _("config map"), {"name": "settings"}, _MAP),
            Option("secret", _("secret"), {"secretName": "secret"}),
            Option("persistentVolumeClaim", _("claim (persistentVolumeClaim)"), {"claimName": "claim"}),
            Option("hostPath", _("folder of the node (hostPath)"), {"path": "/var/log", "type": "Directory"}),
            Option("downwardAPI", _("facts about the pod (downwardAPI)"),
                   {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}),
            Option("projected", _("several in one (projected)"),
                   {"sources": [{"configMap": {"name": "settings"}}]}),
        ),
    ),
)  # fmt: skip

LAYOUTS: Mapping[str, Layout] = {
    "Pod": _POD,
    "Container": _CONTAINER,
    "EnvVar": _ENV,
    "EnvFromSource": (
        Field("prefix", _("Prefix")),
        Union(
            _("All keys of"),
            (
                Option("configMapRef", _("config map"), {"name": "settings"}, _MAP),
                Option("secretRef", _("secret"), {"name": "secret"}, _MAP),
            ),
        ),
    ),
    "ObjectFieldSelector": (Field("fieldPath", _("Field"), "metadata.name"),),
    "ResourceFieldSelector": (Field("resource", _("Resource")), Field("divisor", _("Unit"), "1Mi")),
    "ContainerPort": (
        Field("containerPort", _("Port"), "8080"),
        Field("name", _("Name"), "http"),
        Field("protocol", _("Protocol")),
        Field("hostPort", _("Port of the node")),
    ),
    "ExecAction": (Field("command", _("Command")),),
    "HTTPGetAction": (
        Field("path", _("Path"), "/"),
        Field("port", _("Port"), "8080"),
        Field("scheme", _("Scheme")),
        Field("host", _("Host")),
        Field("httpHeaders", _("Headers"), adds=(("", _("Add header"), {"name": "X-Lab", "value": "podlab"}),)),
    ),
    "HTTPHeader": (Field("name", _("Name")), Field("value", _("Value"))),
    "TCPSocketAction": (Field("port", _("Port"), "8080"), Field("host", _("Host"))),
    "GRPCAction": (Field("port", _("Port"), "9000"), Field("service", _("Service"))),
    "SleepAction": (Field("seconds", _("Seconds"), "5"),),
    "VolumeMount": (
        Field("name", _("Volume"), "data"),
        Field("mountPath", _("Where"), "/data"),
        Field("subPath", _("Only this part of it")),
        Field("readOnly", _("Read-only")),
    ),
    "Volume": _VOLUME,
    "EmptyDirVolumeSource": (Field("medium", _("Kept on")), Field("sizeLimit", _("Size limit"), "10Mi")),
    "SecretVolumeSource": (Field("secretName", _("Name")), Field("optional", _("May be missing"))),
    "PersistentVolumeClaimVolumeSource": (Field("claimName", _("Claim")), Field("readOnly", _("Read-only"))),
    "HostPathVolumeSource": (Field("path", _("Path")), Field("type", _("Type"))),
    "DownwardAPIVolumeSource": (
        Field("items", _("Files"), adds=(("", _("Add file"), {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}),)),
    ),
    "DownwardAPIVolumeFile": (
        Field("path", _("File")),
        Field("fieldRef.fieldPath", _("Field"), "metadata.labels"),
    ),
    "ProjectedVolumeSource": (
        Field("sources", _("Sources"), adds=(("", _("Add source"), {"configMap": {"name": "settings"}}),)),
    ),
    "VolumeProjection": (
        Union(
            _("Kind of volume"),
            (
                Option("configMap", _("config map"), {"name": "settings"}, _MAP),
                Option("secret", _("secret"), {"name": "secret"}, _MAP),
                Option("serviceAccountToken", _("token"), {"path": "token"}, (Field("path", _("File")),)),
            ),
        ),
    ),
    "Toleration": (
        Field("key", _("Key")),
        Field("operator", _("Operator")),
        Field("value", _("Value")),
        Field("effect", _("Effect")),
        Field("tolerationSeconds", _("For (s)")),
    ),
    "NodeSelectorTerm": (Field("matchExpressions", _("All of these rules"), adds=_ADD_RULE),),
    "NodeSelectorRequirement": (
        Field("key", _("Key"), "kubernetes.io/hostname"),
        Field("operator", _("Operator")),
        Field("values", _("Values")),
    ),
    "PreferredSchedulingTerm": (
        Field("weight", _("Weight"), "10"),
        Field("preference.matchExpressions", _("All of these rules"), adds=_ADD_RULE),
    ),
    "ConfigMap": (
        Section(_("Config map"), (Field("metadata.name", _("Name")), Field("data", _("Data"))), "data", open=True),
    ),
    "Secret": (
        Section(
            _("Secret"),
            (Field("metadata.name", _("Name")), Field("type", _("Type"), "Opaque"), Field("stringData", _("Data as text"))),
            "data",
            open=True,
        ),
    ),
}  # fmt: skip
