"""The commands beside the editor, given to the real kubectl: the pod is the one of the manifest."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from conftest import Server, kubectls

from podlab.apis.decode import decode_yaml
from podlab.web import patterns
from podlab.web.forms import kubectl_run

pytestmark = pytest.mark.kubectl

REFUSED = {"privileged"}  # patterns that show a refusal


def meant(answer: str) -> Any:
    """The pod without what is drawn by chance, in an order that says nothing."""
    made = json.loads(re.sub(r"kube-api-access-\w{5}", "kube-api-access", answer))
    made["spec"]["containers"].sort(key=lambda container: str(container["name"]))
    return made["spec"], made["metadata"].get("labels"), made["metadata"].get("annotations")


@pytest.mark.parametrize("server", kubectls()[-1:], indirect=True)
def test_the_command_makes_the_pod_of_the_manifest(server: Server, namespace: str) -> None:
    for pattern in patterns.PATTERNS:
        for document in decode_yaml(pattern.manifest):
            if document.obj["kind"] != "Pod":
                continue
            words = kubectl_run.line_of(document.obj)
            assert words is not None, pattern.id
            place = document.obj["metadata"].get("namespace") or namespace
            options = ["-n", place, "--dry-run=server", "-o", "json"]
            code = 1 if pattern.id in REFUSED else 0
            by_line = server.run(*words[1:3], *options, *words[3:], code=code)
            by_file = server.run("create", *options, "-f", "-", stdin=json.dumps(document.obj), code=code)
            if code:
                assert by_line == by_file, pattern.id
                assert " is invalid: " in by_file
            else:
                assert meant(by_line) == meant(by_file), pattern.id
