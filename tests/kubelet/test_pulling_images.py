"""Image policies, pulls, their back-off and their events, against the fake runtime."""

from __future__ import annotations

import pytest
from kubelet_world import World, container, pod

from podlab.kubelet import images

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
    assert images.pull_policy({"image": image}) == policy
