"""What the roles and bindings of one cluster allow. Pure: made of objects, asked about people.

A RoleBinding counts inside its namespace, for cluster-scoped objects never; of those it shows its own Namespace, which is
only read by it: whoever may change that decides about the security of all pods in it.
Sources: pkg/registry/rbac/validation/rule.go, plugin/pkg/auth/authorizer/rbac/rbac.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from podlab.apis import scheme
from podlab.apis.field_errors import go_quote
from podlab.apis.kinds_rbac import RBAC
from podlab.apis.types import Manifest
from podlab.registry import grants
from podlab.registry.grants import AUTHENTICATED, Attributes, Subject
from podlab.registry.rbac import bootstrap, lab
from podlab.registry.rbac.rules import ALL, Rule, Wish, allows, allows_path, read

_NAMESPACES = "namespaces"
_ACCOUNT = "system:serviceaccount:"
# What pods come from, what adds containers to them, and what opens a shell in one that somebody else has made.
_PODS = (
    *(Wish(verb="create", group="", resource="pods", subresource=name) for name in ("attach", "exec")),
    *(Wish(verb=verb, group="", resource="pods") for verb in ("create", "update", "patch")),
    *(Wish(verb=verb, group="", resource="pods", subresource="ephemeralcontainers") for verb in ("update", "patch")),
    *(
        Wish(verb=verb, group=group, resource=resource)
        for verb in ("create", "update", "patch")
        for group, resource in (
            *(("", "replicationcontrollers"), ("batch", "jobs"), ("batch", "cronjobs")),
            *(("apps", name) for name in ("daemonsets", "deployments", "replicasets", "statefulsets")),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A subject of a binding."""

    kind: str
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Binding:
    """`namespace` "" is a ClusterRoleBinding."""

    namespace: str
    name: str
    role_kind: str
    role: str
    subjects: tuple[Named, ...]

    def subject_for(self, who: Subject) -> Named | None:
        return next((one for one in self.subjects if _applies(one, who, self.namespace)), None)

    def text(self, subject: Named) -> str:
        """As Kubernetes says by which binding something is allowed."""
        name = f"{self.name}/{self.namespace}" if self.namespace else self.name
        kind = "RoleBinding" if self.namespace else "ClusterRoleBinding"
        called = subject.name
        if subject.kind == "ServiceAccount":
            called = f"{subject.name}/{subject.namespace or self.namespace}"
        role = f"{self.role_kind} {go_quote(self.role)}"
        return f"{kind} {go_quote(name)} of {role} to {subject.kind} {go_quote(called)}"


def _applies(subject: Named, who: Subject, namespace: str) -> bool:
    if subject.kind == "User":
        return who.name == subject.name
    if subject.kind == "Group":
        return subject.name in who.groups
    home = subject.namespace or namespace
    return subject.kind == "ServiceAccount" and bool(home) and who.name == f"{_ACCOUNT}{home}:{subject.name}"


class Policy:
    """Who is in no way of this cluster (a service account of another one) has nothing here."""

    def __init__(self, cluster: str, objects: Iterable[Manifest]) -> None:
        self.cluster = cluster
        self._everywhere: list[Binding] = []
        self._inside: dict[str, list[Binding]] = {}
        self._roles: dict[tuple[str, str], tuple[Rule, ...]] = {}  # by namespace ("" = ClusterRole) and name
        self._labels: dict[str, Manifest] = {}  # of ClusterRoles
        for obj in objects:
            self._take(obj)

    def _take(self, obj: Manifest) -> None:
        meta = obj["metadata"]
        namespace, name = meta.get("namespace") or "", meta["name"]
        if obj["kind"] in ("Role", "ClusterRole"):
            self._roles[namespace, name] = read(obj.get("rules"))
            if not namespace:
                self._labels[name] = meta.get("labels") or {}
            return
        reference = obj.get("roleRef") or {}
        subjects = tuple(
            Named(*(str(one.get(field) or "") for field in ("kind", "name", "namespace")))
            for one in obj.get("subjects") or ()
        )
        binding = Binding(namespace, name, reference.get("kind") or "", reference.get("name") or "", subjects)
        (self._inside.setdefault(namespace, []) if namespace else self._everywhere).append(binding)

    # Roles

    def rules_of(self, role_kind: str, role: str, namespace: str) -> tuple[Rule, ...] | None:
        """The rules of the role that a binding in `namespace` refers to; None when there is none."""
        if role_kind == "Role":
            return self._roles.get((namespace, role)) if namespace else None
        if role_kind != "ClusterRole":
            return None
        if role.startswith(lab.PREFIX):
            short = role.removeprefix(lab.PREFIX)
            return lab.rules_of(short) if short in lab.ROLES else None
        known = next((one for one in bootstrap.ROLES if one.name == role), None)
        return self.gathered(known) if known is not None else self._roles.get(("", role))

    def gathered(self, role: bootstrap.BootstrapRole) -> tuple[Rule, ...]:
        """The rules of one of Kubernetes' own roles, with those of the ClusterRoles that ask by a label to be part of it."""
        if not role.gathers:
            return role.rules
        parts = {one.name: one.labels for one in bootstrap.ROLES} | self._labels
        found: dict[Rule, None] = {}
        for name in sorted(parts):
            if name != role.name and parts[name].get(role.gathers) == "true":
                found |= dict.fromkeys(self.rules_of("ClusterRole", name, "") or ())
        return tuple(found)

    # Decisions

    def _bindings(self, who: Subject, namespace: str) -> Iterator[tuple[Binding, Named]]:
        """Those that name `who` and count in a namespace ("" = for the cluster)."""
        if who.home not in ("", self.cluster):
            return
        inside = self._inside.get(namespace, []) if namespace else []
        for binding in (*self._everywhere, *inside):
            subject = binding.subject_for(who)
            if subject is not None:
                yield binding, subject

    def held(self, who: Subject, namespace: str) -> tuple[Rule, ...]:
        """Every rule that bindings give to `who`, beside what everybody has."""
        found = list(bootstrap.OF_EVERYBODY) if AUTHENTICATED in who.groups else []
        return (*found, *self.bound(who, namespace))

    def bound(self, who: Subject, namespace: str) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for binding, _subject in self._bindings(who, namespace):
            found += self.rules_of(binding.role_kind, binding.role, binding.namespace) or ()
        return tuple(found)

    def allowed_by(self, who: Subject, request: Attributes) -> str:
        """By which binding, in Kubernetes' words; "" when none allows the request."""
        return self._allowed_by(who, _wish(request), _scope(request))

    def _allowed_by(self, who: Subject, wish: Wish, namespace: str) -> str:
        for binding, subject in self._bindings(who, namespace):
            rules = self.rules_of(binding.role_kind, binding.role, binding.namespace) or ()
            if any(allows(rule, wish) for rule in rules):
                return f"RBAC: allowed by {binding.text(subject)}"
        return ""

    def allows(self, who: Subject, request: Attributes) -> bool:
        return bool(self.allowed_by(who, request))

    def allows_in(self, who: Subject, request: Attributes, namespace: str) -> bool:
        """The same for a right that counts where it is used, whatever the scope of its object: to bind a ClusterRole in a
        namespace."""
        return bool(self._allowed_by(who, _wish(request), namespace))

    def allows_path(self, who: Subject, verb: str, path: str) -> bool:
        return any(allows_path(rule, verb, path) for rule in self.bound(who, ""))

    def lost(self, who: Subject, namespace: str) -> list[tuple[str, str]]:
        """Kind and name of the roles that bindings of `who` refer to and that are not there."""
        found: dict[tuple[str, str], None] = {}
        for binding, _subject in self._bindings(who, namespace):
            if self.rules_of(binding.role_kind, binding.role, binding.namespace) is None:
                found[binding.role_kind, binding.role] = None
        return list(found)

    def problems(self, who: Subject, namespace: str) -> list[str]:
        """The same in the words of client-go's listers."""
        lost = self.lost(who, namespace)
        return [f"{kind.lower()}.{RBAC} {go_quote(role)} not found" for kind, role in lost]

    def reason(self, who: Subject, request: Attributes) -> str:
        """What a refusal adds; "" when there is nothing to say."""
        problems = self.problems(who, _scope(request) or request.namespace)
        return f"RBAC: {aggregate(problems)}" if problems else ""

    # About places

    def concerns(self, who: Subject) -> bool:
        """Whether a binding anywhere in the cluster names `who`."""
        return bool(self.namespaces(who)) or any(True for _ in self._bindings(who, ""))

    def namespaces(self, who: Subject) -> set[str]:
        """The namespaces in which a RoleBinding names `who`."""
        if who.home not in ("", self.cluster):
            return set()
        return {
            namespace
            for namespace, bindings in self._inside.items()
            if any(binding.subject_for(who) is not None for binding in bindings)
        }

    def standing(self, who: Subject) -> frozenset[tuple[str, tuple[Rule, ...]]]:
        """All that bindings give to `who`, by namespace ("" = everywhere): differs when any of it was given or taken."""
        return frozenset((namespace, self.bound(who, namespace)) for namespace in ("", *self.namespaces(who)))

    def has_tenants(self, namespace: str) -> bool:
        """Whether a binding lets somebody make pods in a namespace, or into them, who is not master of the cluster by it."""
        for binding in (*self._everywhere, *self._inside.get(namespace, ())):
            rules = self.rules_of(binding.role_kind, binding.role, binding.namespace) or ()
            masters = not binding.namespace and any(_gives_all(rule) for rule in rules)
            if binding.subjects and not masters and any(_reaches_pods(rule) for rule in rules):
                return True
        return False


def _wish(request: Attributes) -> Wish:
    plural, group = scheme.split_key(request.resource)
    return Wish(verb=request.verb, group=group, resource=plural, subresource=request.subresource, name=request.name)


def _scope(request: Attributes) -> str:
    """The namespace whose bindings count for a request."""
    if request.resource == _NAMESPACES:
        return request.name if request.verb == "get" else ""
    return "" if grants.is_cluster_scoped(request.resource) else request.namespace


def _gives_all(rule: Rule) -> bool:
    return ALL in rule.verbs and ALL in rule.groups and ALL in rule.resources and not rule.names


def _reaches_pods(rule: Rule) -> bool:
    any_name = replace(rule, names=())
    return any(allows(any_name, wish) for wish in _PODS)


def aggregate(texts: list[str]) -> str:
    """utilerrors.Aggregate."""
    return texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
