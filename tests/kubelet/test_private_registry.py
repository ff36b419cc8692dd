"""Pull secrets against a registry that asks for a password."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from docker_node import Node, eventually

from podlab.runtime.errors import RuntimeFailure
from podlab.storage import pulls
from tests.image_registry import PASSWORD, ImageRegistry

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def registry(busybox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with ImageRegistry(tmp_path_factory.mktemp("registry")) as made:
        yield made


def test_a_secret_of_the_service_account_opens_the_registry(node: Node, registry: ImageRegistry) -> None:
    ref = registry.push("team/app:1", files={"word": uuid.uuid4().bytes * 1000})
    node.client.create("secrets", registry.secret("reg", where=f"{registry.host}/team"), namespace="default")
    node.client.patch(
        "serviceaccounts",
        "default",
        "default",
        "application/merge-patch+json",
        {"imagePullSecrets": [{"name": "reg"}]},
    )
    node.run("sleep 3600", image=ref)
    eventually(lambda: node.main().get("ready"))
    (pulled,) = node.events("Pulled")
    assert pulled.startswith(f'Successfully pulled image "{ref}" in ')
    assert node.main()["imageID"].startswith(f"{registry.host}/team/app@sha256:")
    assert node.main()["image"] == ref
    (row,) = pulls.pulls_of("main", node.pod["metadata"]["uid"])
    assert (row.image, row.error, row.finished_at is not None) == (ref, "", True)
    assert row.layers_done == row.layers == 2
    assert row.current == row.total > 0


def test_without_a_log_in_it_stays_closed(
    node: Node, registry: ImageRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    ref = registry.push("team/closed:1")
    wrong = "not the word"
    node.client.create("secrets", registry.secret("reg", password=wrong), namespace="default")
    node.run("sleep 3600", image=ref, spec={"imagePullSecrets": [{"name": "reg"}, {"name": "nope"}]})
    eventually(lambda: node.waiting() == "ImagePullBackOff")
    assert node.events("FailedToRetrieveImagePullSecret") == [
        "Unable to retrieve some image pull secrets (nope); attempting to pull the image may not succeed."
    ]
    assert f'Failed to pull image "{ref}": Error response from daemon: ' in node.events("Failed")[0]
    assert wrong not in caplog.text
    assert PASSWORD not in caplog.text


def test_an_image_goes_when_nobody_uses_it(node: Node, registry: ImageRegistry) -> None:
    ref = registry.push("team/brief:1", files={"word": uuid.uuid4().bytes})
    node.client.create("secrets", registry.secret("reg"), namespace="default")
    node.run("exit 0", policy="Never", image=ref, spec={"imagePullSecrets": [{"name": "reg"}]})
    eventually(lambda: node.phase() == "Succeeded")
    runtime = node.runtime()
    try:
        (held,) = [image for image in runtime.list_images() if ref in image.tags]
        assert held.id in runtime.images_in_use()
        with pytest.raises(RuntimeFailure, match="conflict"):
            runtime.remove_image(ref)
        node.client.delete("pods", "default", "p")
        eventually(node.gone)
        eventually(lambda: held.id not in runtime.images_in_use())
        runtime.remove_image(ref)
        runtime.remove_image(ref)
        assert ref not in [tag for image in runtime.list_images() for tag in image.tags]
        disk = runtime.image_disk()
        assert disk is None or 0 < disk.available < disk.capacity
    finally:
        runtime.close()
