"""The first start, and what every start repeats cheaply: schema, lab id, CA, admin, cluster main, kubeconfig, greeting.

Runs in the web process before it listens. Safe to be killed anywhere: each part is made whole or not at all, and made
again when missing.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from podlab.clock import wall_now
from podlab.ops import authority
from podlab.ops.supervisor import migrations_digest
from podlab.registry import clusters, identity, service_network
from podlab.storage.models import RoleGrant

ADMIN = "admin"
LOGIN_LINK_LIFETIME = timedelta(hours=12)


def prepare(pods_door: str = "") -> authority.Files:
    """Make the lab ready to serve; returns the certificate files. `pods_door`: the address where pods reach the API."""
    data: Path = settings.PODLAB_DATA
    stamp = data / "run" / "prepared"
    if not (stamp.exists() and stamp.read_text() == migrations_digest()):
        call_command("migrate", interactive=False, verbosity=0)
    lab_id(data)
    files = authority.ensure(data / "pki", certificate_hosts(pods_door), wall_now())
    admin = ensure_admin()
    clusters.ensure_main(runtime=_runtime(), nodes=settings.PODLAB_NODES, api_address=pods_door)
    kubeconfig = ensure_kubeconfig(data, admin, files)
    greeting = {
        "login": login_url(admin),
        "kubeconfig": str(kubeconfig),
        "api": api_url(),
    }
    write_private(data / "run" / "greeting.json", json.dumps(greeting))
    write_private(stamp, migrations_digest())
    return files


def _runtime() -> str:
    """The supervisor has resolved `auto` already; a web process started by hand without a node worker simulates."""
    return "docker" if settings.PODLAB_RUNTIME == "docker" else "sim"


def lab_id(data: Path) -> str:
    """Which lab containers belong to; made once per data folder."""
    path = data / "lab-id"
    if not path.exists():
        write_private(path, uuid.uuid4().hex)
    return path.read_text().strip()


def certificate_hosts(pods_door: str = "") -> tuple[str, ...]:
    """Every name by which the API may be called, from inside of pods as well."""
    names = [*settings.PODLAB_HOSTS, "localhost", "127.0.0.1", "::1", socket.gethostname()]
    if settings.PODLAB_BIND not in {"0.0.0.0", "::"}:
        names.append(settings.PODLAB_BIND)
    inside = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    names += [*inside, str(service_network.network(clusters.MAIN)[service_network.KUBERNETES])]
    names += [pods_door] if pods_door else []
    return tuple(dict.fromkeys(name.strip("[]") for name in names if name != "*"))


def reachable_host() -> str:
    """How this machine itself reaches the lab."""
    if settings.PODLAB_BIND in {"0.0.0.0", "::", ""}:
        return "127.0.0.1"
    return f"[{settings.PODLAB_BIND}]" if ":" in settings.PODLAB_BIND else str(settings.PODLAB_BIND)


def api_url() -> str:
    return f"https://{reachable_host()}:{settings.PODLAB_API_PORT}"


def login_url(user: User) -> str:
    """A link that logs `user` in once."""
    raw = identity.make_login_link(user, LOGIN_LINK_LIFETIME)
    return f"http://{reachable_host()}:{settings.PODLAB_PORT}/login/{raw}"


def ensure_admin() -> User:
    """The lab's first user: enters by link; `manage.py changepassword admin` gives a password."""
    admin, new = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    if new:
        admin.set_unusable_password()
        admin.save()
    RoleGrant.objects.get_or_create(user=admin, role=RoleGrant.Role.ADMIN, cluster="*", namespace="*")
    return admin


def ensure_kubeconfig(data: Path, admin: User, files: authority.Files) -> Path:
    """An admin kubeconfig that works as it is, with a context for every cluster; rewritten when they, the address or the CA
    changed, its token kept if valid."""
    path = data / "kubeconfig"
    token_file = data / "pki" / "admin.token"
    token = token_file.read_text().strip() if token_file.exists() else ""
    if not token or identity.by_token(token) is None:
        token = identity.issue_token(admin, "kubeconfig")
        write_private(token_file, token)
    _write_kubeconfig(path, token, files.ca.read_text())
    return path


def _write_kubeconfig(path: Path, token: str, ca_pem: str) -> None:
    names = [row.name for row in clusters.list_all()]
    text = clusters.kubeconfig("main", user=ADMIN, token=token, server=api_url(), ca_pem=ca_pem, others=names)
    if not path.exists() or path.read_text() != text:
        write_private(path, text)


def renew_kubeconfig() -> None:
    """A cluster came or went: the kubectl lines of pages name it by its context. Nothing where no lab was prepared."""
    data: Path = settings.PODLAB_DATA
    path, token_file, ca = data / "kubeconfig", data / "pki" / "admin.token", authority.Files(data / "pki").ca
    if path.exists() and token_file.exists() and ca.exists():
        _write_kubeconfig(path, token_file.read_text().strip(), ca.read_text())


def write_private(path: Path, text: str) -> None:
    """Replace a file whole, mode 0600: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
