"""Base images for machines without a registry: made from Debian packages, under the tags that the Dockerfile and the
compose file name. An image that is there already is left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PYTHON_IMAGE = "python:3.11-slim-bookworm"
POSTGRES_IMAGE = "postgres:15-bookworm"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# What the official image's entry point does, as far as the compose file relies on it.
POSTGRES_ENTRY = """#!/bin/sh
set -eu
export PATH=/usr/lib/postgresql/15/bin:$PATH
data=/var/lib/postgresql/data
chown postgres:postgres "$data"
if [ ! -s "$data/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    chown postgres /tmp/password
    su postgres -c "initdb -D $data -U $POSTGRES_USER --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust"
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    su postgres -c "pg_ctl -D $data -o '-c listen_addresses=' -w start"
    su postgres -c "createdb -U $POSTGRES_USER $POSTGRES_DB"
    su postgres -c "pg_ctl -D $data -m fast -w stop"
fi
exec su postgres -c "exec postgres -D $data -c listen_addresses='*'"
"""


def have(image: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0


def run(*command: str) -> None:
    done = subprocess.run(command, text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, f"{' '.join(command[:4])}: {(done.stdout + done.stderr)[-2000:]}"


def install(*packages: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def debian(include: str, image: str, changes: list[str], extra: dict[str, str]) -> None:
    """A Debian root file system with `include`, imported as `image`."""
    if shutil.which("debootstrap") is None:
        install("debootstrap")
    with tempfile.TemporaryDirectory(prefix="podlab-base-") as folder:
        run("debootstrap", "--variant=minbase", f"--include={include}", "bookworm", folder)
        # The registries of this machine may be certified by an authority of its own.
        shutil.copy(CERTIFICATES, f"{folder}{CERTIFICATES}")
        for name, text in extra.items():
            path = Path(f"{folder}{name}")
            path.write_text(text)
            path.chmod(0o755)
        archive = f"{folder}.tar"
        run("tar", "-C", folder, "--exclude=./var/cache/apt/archives/*.deb", "-cf", archive, ".")
        try:
            run("docker", "import", *[part for change in changes for part in ("-c", change)], archive, image)
        finally:
            Path(archive).unlink()


def ensure() -> None:
    if not have(PYTHON_IMAGE):
        changes = [f"ENV PIP_CERT={CERTIFICATES}", f"ENV NODE_EXTRA_CA_CERTS={CERTIFICATES}", 'CMD ["python3"]']
        debian("python3,python3-venv,ca-certificates", PYTHON_IMAGE, changes, {})
    if not have(POSTGRES_IMAGE):
        changes = ['ENTRYPOINT ["/usr/local/bin/entry"]', "VOLUME /var/lib/postgresql/data", "EXPOSE 5432"]
        debian("postgresql-15", POSTGRES_IMAGE, changes, {"/usr/local/bin/entry": POSTGRES_ENTRY})


def compose_command() -> list[str]:
    """`docker compose` where it is, else the older docker-compose (from apt where we may)."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose") is None:
        install("docker-compose")
    return ["docker-compose"]


if __name__ == "__main__":
    ensure()
