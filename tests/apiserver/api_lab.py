"""The API alone, for the tests of this folder: an ASGI application without pages, and a lab to serve.

`python api_lab.py PORT` (with PODLAB_DATA) serves it over TLS with a throw-away CA and writes kubeconfig and token into
the data folder; the file `ready` appears when it listens.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def admin_token() -> str:
    """A user who may do everything, and a token of his."""
    from django.contrib.auth import get_user_model

    from podlab.registry import authorizer, identity

    user = get_user_model().objects.create_user("admin")
    identity.grant(user, authorizer.ADMIN)
    return identity.issue_token(user, "tests")


def make_certificate(folder: Path) -> str:
    """A self-signed certificate for 127.0.0.1 that is its own CA; the PEM text."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "podlab test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "tls.crt").write_bytes(pem)
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem.decode()


def prepare(folder: Path, port: int) -> None:
    from django.core.management import call_command

    from podlab.registry import clusters, identity

    call_command("migrate", verbosity=0)
    clusters.ensure_main("sim", nodes=("node-a",))
    clusters.create_sim("other", nodes=("node-x",), identity=identity.system("test"))
    token = admin_token()
    (folder / "token").write_text(token)
    pem = make_certificate(folder)
    for cluster in ("main", "other"):
        text = clusters.kubeconfig(cluster, user="admin", token=token, server=f"https://127.0.0.1:{port}", ca_pem=pem)
        (folder / f"kubeconfig-{cluster}").write_text(text)


def serve(folder: Path, port: int) -> None:
    import uvicorn

    from podlab.apiserver.handler import ApiHandler

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:
            await super().startup(sockets)  # type: ignore[arg-type]
            (folder / "ready").write_text("")

    config = uvicorn.Config(
        ApiHandler(),
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=2,
        ssl_certfile=str(folder / "tls.crt"),
        ssl_keyfile=str(folder / "tls.key"),
    )
    Announcing(config).run()


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "api_settings"
    sys.path.insert(0, str(Path(__file__).parent))
    import django

    django.setup()
    folder, port = Path(os.environ["PODLAB_DATA"]), int(sys.argv[1])
    prepare(folder, port)
    serve(folder, port)


if __name__ == "__main__":
    main()
