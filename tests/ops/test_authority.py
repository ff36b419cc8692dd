from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from podlab.ops import authority

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_the_server_certificate_is_signed_by_the_ca_and_names_the_hosts(tmp_path: Path) -> None:
    files = authority.ensure(tmp_path, ("localhost", "127.0.0.1", "::1"), NOW)
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    server = x509.load_pem_x509_certificate(files.server.read_bytes())
    server.verify_directly_issued_by(ca)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(files.server, files.server_key)


def test_keys_are_private(tmp_path: Path) -> None:
    files = authority.ensure(tmp_path, ("localhost",), NOW)
    for key in (files.ca_key, files.server_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_second_start_keeps_both_certificates(tmp_path: Path) -> None:
    first = authority.ensure(tmp_path, ("localhost",), NOW)
    before = first.ca.read_bytes(), first.server.read_bytes()
    second = authority.ensure(tmp_path, ("localhost",), NOW + timedelta(days=1))
    assert (second.ca.read_bytes(), second.server.read_bytes()) == before


def test_other_hosts_or_an_old_certificate_give_a_new_one_under_the_same_ca(tmp_path: Path) -> None:
    files = authority.ensure(tmp_path, ("localhost",), NOW)
    ca, server = files.ca.read_bytes(), files.server.read_bytes()
    authority.ensure(tmp_path, ("localhost", "lab.example"), NOW)
    renamed = files.server.read_bytes()
    assert renamed != server
    authority.ensure(tmp_path, ("localhost", "lab.example"), NOW + timedelta(days=380))
    assert files.server.read_bytes() != renamed
    assert files.ca.read_bytes() == ca
