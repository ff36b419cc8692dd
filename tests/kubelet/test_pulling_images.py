"""Image policies, pulls, their back-off and their events, against the fake runtime."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from kubelet_world import START, World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import images, keyring
from podlab.kubelet.image_records import ImageRecords
from podlab.runtime.images import ImageInfo, RegistryLogin

ERROR = "lookup registry.invalid: no such host"


def test_an_absent_image_is_pulled_and_told(world: World) -> None:
    world.apply(pod(container(image="web:2")))
    assert world.container()["state"]["waiting"] == {"reason": "ContainerCreating"}
    assert world.condition("PodReadyToStartContainers")["status"] == "True"
    world.advance(1)
    assert world.status["phase"] == "Running"
    assert world.told.messages("Pulling") == ['Pulling image "web:2"']
    assert world.told.messages("Pulled") == [
        'Successfully pulled image "web:2" in 1s (1s including waiting). Image size: 4096 bytes.'
    ]


def test_a_failing_pull_alternates_between_error_and_back_off(world: World) -> None:
    world.runtime.pull_errors["web:2"] = ERROR
    world.apply(pod(container(image="web:2")))
    world.advance(1)
    assert world.container()["state"]["waiting"] == {"reason": "ErrImagePull", "message": ERROR}
    world.advance(1)
    assert world.container()["state"]["waiting"] == {
        "reason": "ImagePullBackOff",
        "message": f'Back-off pulling image "web:2": ErrImagePull: {ERROR}',
    }
    assert world.told.events[:5] == [
        ("Normal", "Pulling", 'Pulling image "web:2"'),
        ("Warning", "Failed", f'Failed to pull image "web:2": {ERROR}'),
        ("Warning", "Failed", "Error: ErrImagePull"),
        ("Normal", "BackOff", 'Back-off pulling image "web:2"'),
        ("Warning", "Failed", "Error: ImagePullBackOff"),
    ]
    assert world.status["phase"] == "Pending"


def test_pulls_are_made_10_20_40_up_to_300_seconds_after_each_failure(world: World) -> None:
    world.runtime.pull_errors["web:2"] = ERROR
    world.apply(pod(container(image="web:2")))
    world.advance(1200)
    times = [
        at.timestamp()
        for at, (_, reason, _) in zip(world.told.times, world.told.events, strict=True)
        if reason == "Pulling"
    ]
    gaps = [round(b - a) for a, b in zip(times, times[1:], strict=False)]
    assert gaps == [11, 21, 41, 81, 161, 301, 301]


def test_an_image_that_is_corrected_starts_at_once(world: World) -> None:
    world.runtime.pull_errors["web:2"] = ERROR
    world.apply(pod(container(image="web:2")))
    world.advance(3)
    world.edit(lambda p: p["spec"]["containers"][0].update(image="busybox:1.36"))
    assert world.status["phase"] == "Running"


def test_always_pulls_an_image_that_is_present(world: World) -> None:
    world.apply(pod(container(imagePullPolicy="Always")))
    world.advance(2)
    assert [c for c in world.runtime.calls if c.startswith("pull")] == ["pull busybox:1.36"]
    assert world.status["phase"] == "Running"


def test_never_with_an_absent_image_says_so(world: World) -> None:
    world.apply(pod(container(image="web:2", imagePullPolicy="Never")))
    text = 'Container image "web:2" is not present with pull policy of Never'
    assert world.container()["state"]["waiting"] == {"reason": "ErrImageNeverPull", "message": text}
    assert world.told.events == [
        ("Warning", "ErrImageNeverPull", text),
        ("Warning", "Failed", "Error: ErrImageNeverPull"),
    ]


def test_never_with_the_image_present_says_the_same(world: World) -> None:
    world.apply(pod(container(imagePullPolicy="Never")))
    assert world.told.messages("Pulled") == [
        'Container image "busybox:1.36" already present on machine and can be accessed by the pod'
    ]


def test_an_invalid_name_is_explained(world: World) -> None:
    world.apply(pod(container(image="BAD//Image:1")))
    text = (
        'Failed to apply default image tag "BAD//Image:1": couldn\'t parse image name "BAD//Image:1": '
        "invalid reference format: repository name (/Image) must be lowercase"
    )
    assert world.container()["state"]["waiting"] == {"reason": "InvalidImageName", "message": text}
    assert world.told.events == [("Warning", "InspectFailed", text), ("Warning", "Failed", "Error: InvalidImageName")]
    world.advance(10)
    assert world.told.messages("InspectFailed") == [text, text]


def test_a_failing_pull_does_not_hold_up_the_other_containers_for_ever(world: World) -> None:
    world.runtime.pull_errors["web:2"] = ERROR
    world.apply(pod(container("a", image="web:2"), container("b")))
    world.advance(2)
    assert world.container("b")["state"].get("running")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1.36", "busybox:1.36"),
        ("registry.example:5000/a/b", "registry.example:5000/a/b:latest"),
        ("a/b@sha256:" + "0" * 64, "a/b@sha256:" + "0" * 64),
        ("library/busy_box-x.y:T", "library/busy_box-x.y:T"),
    ],
)
def test_the_default_tag_is_latest(given: str, expected: str) -> None:
    assert images.default_tag(given) == expected


@pytest.mark.parametrize("name", ["", "a b", "a:b:c", "-a", "a//b", "A"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(images.InvalidImageName):
        images.default_tag(name)


@pytest.mark.parametrize(
    ("image", "policy"),
    [("a", "Always"), ("a:latest", "Always"), ("a:1", "IfNotPresent"), ("a@sha256:" + "0" * 64, "IfNotPresent")],
)
def test_the_policy_follows_the_tag(image: str, policy: str) -> None:
    assert images.default_policy(image) == policy


def pull_secret(name: str, password: str = "pw") -> Manifest:
    body = json.dumps({"auths": {"registry.example": {"username": "me", "password": password}}})
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(body.encode()).decode()},
    }


PRIVATE = "registry.example/a:1"


def with_secrets(*names: str, pod_name: str = "p", **more: Any) -> Manifest:
    made = pod(
        container(pod_name if pod_name != "p" else "main", image=PRIVATE, **more),
        imagePullSecrets=[{"name": name} for name in names],
    )
    made["metadata"] |= {"name": pod_name, "uid": f"uid-{pod_name}"}
    return made


def test_the_log_in_of_a_secret_is_used(world: World) -> None:
    world.api.put("secrets", pull_secret("s"), "ADDED")
    world.apply(with_secrets("s"))
    world.advance(1)
    assert world.status["phase"] == "Running"
    assert world.runtime.logins == [RegistryLogin("me", "pw")]


def test_a_missing_secret_is_told_and_the_pull_tried_without_it(world: World) -> None:
    world.apply(with_secrets("nope", "gone"))
    world.advance(1)
    text = "Unable to retrieve some image pull secrets (nope, gone); attempting to pull the image may not succeed."
    assert world.told.messages("FailedToRetrieveImagePullSecret")[0] == text
    assert world.runtime.logins == [None]
    assert world.status["phase"] == "Running"


def test_log_ins_are_tried_one_after_the_other_and_all_errors_are_told(world: World) -> None:
    world.runtime.pull_errors[PRIVATE] = "unauthorized"
    for name, password in (("s", "one"), ("t", "two")):
        world.api.put("secrets", pull_secret(name, password), "ADDED")
    world.apply(with_secrets("s", "t"))
    world.advance(2)
    assert [login.password for login in world.runtime.logins if login] == ["one", "two"]
    assert world.told.messages("Failed")[0] == f'Failed to pull image "{PRIVATE}": unauthorized'


def test_an_unreadable_secret_is_named_without_its_content(world: World) -> None:
    broken = pull_secret("s") | {"data": {".dockerconfigjson": base64.b64encode(b'"hunter2"').decode()}}
    world.api.put("secrets", broken, "ADDED")
    world.apply(with_secrets("s"))
    waiting = world.container()["state"]["waiting"]
    assert waiting["reason"] == "ErrImagePull"
    assert "default/s cannot be read" in waiting["message"]
    assert "hunter2" not in str(world.told.events)


def test_an_image_pulled_with_a_secret_is_not_there_for_a_pod_without_it(world: World) -> None:
    world.api.put("secrets", pull_secret("s"), "ADDED")
    world.apply(with_secrets("s"))
    world.advance(1)
    world.apply(with_secrets("s", pod_name="friend"))
    assert world.told.messages("Pulled")[-1] == images.present_message(PRIVATE)
    world.apply(with_secrets(pod_name="stranger"))
    assert world.told.messages("Pulling") == [f'Pulling image "{PRIVATE}"'] * 2
    assert "pulled with secrets that this pod does not have" in world.told.event_whys[-1]
    world.advance(1)
    assert world.runtime.logins[-1] is None
    world.apply(with_secrets(pod_name="offline", imagePullPolicy="Never"))
    # The pull without a log-in went well, so now everybody may have it.
    assert world.told.messages("Pulled")[-1] == images.present_message(PRIVATE)


def test_never_pull_does_not_lend_a_private_image(world: World) -> None:
    world.api.put("secrets", pull_secret("s"), "ADDED")
    world.apply(with_secrets("s"))
    world.advance(1)
    world.apply(with_secrets(pod_name="stranger", imagePullPolicy="Never"))
    assert world.told.messages("ErrImageNeverPull") == [images.never_message(PRIVATE)]


def test_what_was_pulled_is_remembered_by_the_next_agent(tmp_path: Path) -> None:
    path, info = tmp_path / "images.json", ImageInfo("sha256:1", PRIVATE, 1)
    held = keyring.logins([pull_secret("s")])
    ImageRecords(path).note_pull(info, PRIVATE, present=False, login=held[0], now=START)
    again = ImageRecords(path)
    assert again.may_use(info, PRIVATE, held)
    assert again.may_use(info, PRIVATE, keyring.logins([pull_secret("s", "renewed")]))
    assert not again.may_use(info, PRIVATE, [])
    assert [record.ref for record in again.brought()] == [PRIVATE]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "pw" not in path.read_text()


def test_an_image_of_others_is_free_and_not_ours() -> None:
    records, info = ImageRecords(), ImageInfo("sha256:1", "busybox:1", 1)
    assert records.may_use(info, "busybox:1", [])
    records.note_pull(info, "busybox:1", present=True, login=None, now=START)
    assert records.brought() == []


def test_another_name_of_a_private_image_is_free_but_not_its_id() -> None:
    records, info = ImageRecords(), ImageInfo("sha256:1", PRIVATE, 1)
    records.note_pull(info, PRIVATE, present=False, login=keyring.logins([pull_secret("s")])[0], now=START)
    assert not records.may_use(info, PRIVATE, [])
    assert not records.may_use(info, "sha256:1", [])
    assert records.may_use(info, "busybox:1.36", [])


def test_pulls_wait_for_each_other(world: World) -> None:
    world.apply(pod(container(image="one:1")))
    second = pod(container("second", image="two:1"))
    second["metadata"] |= {"name": "q", "uid": "uid-q"}
    world.apply(second)
    assert [call for call in world.runtime.calls if call.startswith("pull")] == ["pull one:1"]
    world.advance(2)
    assert world.told.messages("Pulled")[-1] == (
        'Successfully pulled image "two:1" in 1s (2s including waiting). Image size: 4096 bytes.'
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("no such host", ("ErrImagePull", "no such host")),
        (
            "RegistryUnavailable: 503",
            ("RegistryUnavailable", "image pull failed for a:1 because the registry is unavailable: 503"),
        ),
        (
            "SignatureValidationFailed",
            ("SignatureValidationFailed", "image pull failed for a:1 because the signature validation failed"),
        ),
    ],
)
def test_the_reason_of_a_failed_pull(error: str, expected: tuple[str, str]) -> None:
    assert images.pull_problem("a:1", error) == expected


def test_a_registry_that_is_unavailable_is_shown_as_such(world: World) -> None:
    world.runtime.pull_errors["web:2"] = "RegistryUnavailable: 503"
    world.apply(pod(container(image="web:2")))
    world.advance(1)
    text = "image pull failed for web:2 because the registry is unavailable: 503"
    assert world.container()["state"]["waiting"] == {"reason": "RegistryUnavailable", "message": text}
    assert world.told.messages("Failed")[-1] == "Error: RegistryUnavailable"
    world.advance(1)
    assert world.container()["state"]["waiting"]["message"] == (
        f'Back-off pulling image "web:2": RegistryUnavailable: {text}'
    )


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("me/app", "docker.io/me/app"),
        ("index.docker.io/busybox", "docker.io/library/busybox"),
        ("localhost/a:1", "localhost/a:1"),
        ("registry.example:5000/a/b@sha256:1", "registry.example:5000/a/b@sha256:1"),
        ("sha256:abc", "sha256:abc"),
    ],
)
def test_the_full_name(image: str, full: str) -> None:
    assert images.canonical(image) == full


def test_the_image_id_is_the_name_with_a_digest_if_there_is_one() -> None:
    info = ImageInfo("sha256:1", "busybox:1", 1, digests=("other.example/b@sha256:2", "busybox@sha256:3"))
    assert images.status_id(info, "busybox:1") == "docker.io/library/busybox@sha256:3"
    assert images.status_id(info, "third.example/b:1") == "other.example/b@sha256:2"
    assert images.status_id(ImageInfo("sha256:1", "busybox:1", 1), "busybox:1") == "sha256:1"


def test_how_far_a_pull_is_is_passed_on_twice_a_second(world: World) -> None:
    world.runtime.pull_steps = [(0.1, 10), (0.2, 20), (0.7, 70), (0.8, 80)]
    world.apply(pod(container(image="web:2")))
    world.advance(2)
    told = [(note.current, note.layers_done, note.finished is not None) for note in world.told.pulls]
    assert told == [(0, 0, False), (70, 0, False), (80, 0, True)]
    assert {note.image for note in world.told.pulls} == {"web:2"}


def test_how_a_pull_failed_is_passed_on(world: World) -> None:
    world.runtime.pull_errors["web:2"] = ERROR
    world.apply(pod(container(image="web:2")))
    world.advance(1)
    assert [note.error for note in world.told.pulls] == ["", ERROR]


def with_image_volume(*mounts: str, **image: Any) -> Manifest:
    mounting = [container(f"c{n}", volumeMounts=[{"name": m, "mountPath": "/data"}]) for n, m in enumerate(mounts)]
    return pod(*mounting, volumes=[{"name": "data", "image": {"reference": "data:1", **image}}])


def test_an_image_volume_is_pulled_unpacked_once_and_read_only(world: World) -> None:
    world.apply(with_image_volume("data", "data"))
    world.advance(5)
    assert world.status["phase"] == "Running"
    assert [call for call in world.runtime.calls if call.startswith(("pull", "unpack"))] == [
        "pull data:1",
        "unpack data:1 data",
    ]
    assert world.told.messages("Pulling") == ['Pulling image "data:1"']
    for config in world.runtime.configs.values():
        (mount,) = (one for one in config.mounts if one.container_path == "/data")
        assert mount.read_only
        assert mount.host_path.endswith("/volumes/kubernetes.io~image/data")


def test_the_image_of_a_volume_that_is_missing_keeps_its_containers_waiting(world: World) -> None:
    world.apply(with_image_volume("data", pullPolicy="Never"))
    waiting = world.container("c0")["state"]["waiting"]
    assert waiting == {"reason": "ErrImageNeverPull", "message": images.never_message("data:1")}


def test_an_image_that_cannot_be_unpacked_is_tried_again(world: World) -> None:
    world.runtime.images.add("data:1")
    world.runtime.unpack_errors = ["no space left on device"]
    world.apply(with_image_volume("data"))
    world.advance(2)
    text = 'failed to mount image volume "data": no space left on device'
    assert world.container("c0")["state"]["waiting"] == {"reason": "CreateContainerError", "message": text}
    world.advance(12)
    assert world.status["phase"] == "Running"


def test_containers_of_a_pod_share_the_back_off_of_their_image(world: World) -> None:
    """image_manager.go keys it by pod and image: the second container is not even tried."""
    world.runtime.pull_errors["missing:1"] = "not found"
    world.apply(pod(container("a", image="missing:1"), container("b", image="missing:1")))
    world.advance(5)
    assert world.runtime.calls.count("pull missing:1") == 1
    full = 'Back-off pulling image "missing:1": ErrImagePull: not found'
    for name in ("a", "b"):
        assert world.container(name)["state"] == {"waiting": {"reason": "ImagePullBackOff", "message": full}}
    assert world.told.messages("BackOff") == ['Back-off pulling image "missing:1"'] * 2
    assert world.told.messages("Failed").count("Error: ErrImagePull") == 1
    world.advance(8)
    assert world.runtime.calls.count("pull missing:1") == 2
    del world.runtime.pull_errors["missing:1"]
    world.advance(40)
    assert world.runtime.calls.count("pull missing:1") == 3
    assert world.status["phase"] == "Running"
    assert len(world.told.messages("Pulled")) == 2
