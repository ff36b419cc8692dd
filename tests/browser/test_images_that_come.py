"""Images that are really pulled, from a registry with a password: refused and explained, then layer by layer."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import places
from tests.browser.pictures import album
from tests.image_registry import ImageRegistry
from tests.whole_lab import eventually

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(180)]

_LAYER = 8 * 2**20  # bytes; nothing can make them fewer


@pytest.fixture
def registry(session: BrowserContext, tmp_path: Path) -> Iterator[ImageRegistry]:
    with ImageRegistry(tmp_path) as made:
        yield made
        # What was pulled from it is removed, which can be when no container is of it any more.
        places.delete(session, places.pods(session))
        images = ["docker", "ps", "-a", "--format", "{{.Image}}"]
        eventually("its images are free", lambda: made.host not in subprocess.check_output(images, text=True))


def pod(name: str, image: str, *secrets: str) -> str:
    spec = {
        "terminationGracePeriodSeconds": 0,
        "imagePullSecrets": [{"name": one} for one in secrets],
        "containers": [{"name": "c", "image": image, "command": ["sleep", "3600"]}],
    }
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def test_a_pull_is_watched_and_a_refused_one_explained(page: Page, registry: ImageRegistry) -> None:
    image = registry.push("pupils/pages:1", files={"page": os.urandom(_LAYER)})
    refused, pulled, key = (f"{word}-{uuid.uuid4().hex[:6]}" for word in ("refused", "pulled", "key"))
    places.create(page.context, pod(refused, image))
    page.goto(f"/c/main/ns/default/pods/{refused}")
    expect(page.locator("[data-situation=image-auth]")).to_contain_text(image)
    album(page, "why-image-auth")
    places.create(page.context, f"{yaml.safe_dump(registry.secret(key))}\n---\n{pod(pulled, image, key)}")
    page.goto(f"/c/main/ns/default/pods/{pulled}")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    pull = page.locator("#twin li[data-mark=pull]")
    expect(pull).to_contain_text(f"The image {image} of c was pulled in")
    pull.get_by_role("button").dispatch_event("click")
    expect(page.locator("#evidence [data-card=sentence]")).to_contain_text(image)
    album(page, "timeline-pull")
