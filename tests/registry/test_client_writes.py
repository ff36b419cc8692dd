"""create, update and status through the client."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from registry_samples import START_TEXT, config, made, meta_of, namespace, pod, refusal

from podlab.apis.types import Manifest
from podlab.registry import creating
from podlab.registry.authorizer import Grant
from podlab.registry.client import Client
from podlab.registry.identity import Identity
from podlab.registry.operations import WriteOptions
from podlab.storage import log

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_pod_is_pending_and_filled_in(client: Client) -> None:
    written = client.create("pods", pod() | {"status": {"phase": "Running"}}, namespace="default", why="A test.")
    meta = meta_of(written.obj)
    assert written.created
    assert written.obj["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert (meta["namespace"], meta["generation"], meta["creationTimestamp"]) == ("default", 1, START_TEXT)
    assert written.stored is not None
    assert (meta["uid"], meta["resourceVersion"]) == (written.stored.uid, str(written.stored.revision))
    entry = log.read_after(written.stored.revision - 1)[0]
    assert (entry.actor, entry.why, entry.at) == ("test", "A test.", client.now())


def test_the_servers_fields_are_not_the_clients(client: Client) -> None:
    given = config(a="b")
    given["metadata"] |= {
        "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "deletionTimestamp": "2001-01-01T00:00:00Z",
        "selfLink": "/x", "managedFields": [],
    }  # fmt: skip
    meta = meta_of(made(client, given))
    assert set(meta) == {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"}
    assert [entry["manager"] for entry in meta["managedFields"]] == ["test"]
    assert meta["uid"] != "mine"
    assert meta["creationTimestamp"] == START_TEXT


def test_the_given_object_is_not_changed(client: Client) -> None:
    given = pod()
    made(client, given)
    assert given == pod()


Refused = tuple[str, Manifest, dict[str, Any], int, str]
REFUSED_CREATES: dict[str, Refused] = {
    "a resourceVersion": (
        "configmaps",
        config() | {"metadata": {"name": "c", "resourceVersion": "1"}},
        {},
        500,
        "resourceVersion should not be set on objects to be created",
    ),
    "another namespace in the body": (
        "configmaps",
        config() | {"metadata": {"name": "c", "namespace": "other"}},
        {},
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    "a namespace that is not there": ("configmaps", config(), {"namespace": "x"}, 404, 'namespaces "x" not found'),
    "an unknown field": (
        "pods",
        pod(foo=1),
        {},
        400,
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo"',
    ),
    "a wrong type": (
        "pods",
        pod(restartPolicy=1),
        {"options": WriteOptions(field_validation="Ignore")},
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field '
        "PodSpec.spec.restartPolicy of type v1.RestartPolicy",
    ),
    "another kind": (
        "pods",
        config(),
        {},
        400,
        'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown '
        "conversion",
    ),
    "a kind that nobody knows": (
        "pods",
        pod() | {"apiVersion": "v2"},
        {},
        400,
        'Pod in version "v2" cannot be handled as a Pod: no kind "Pod" is registered for version "v2" in scheme '
        '"pkg/api/legacyscheme/scheme.go:30"',
    ),
    "no name": (
        "pods",
        pod(""),
        {},
        422,
        'Pod "" is invalid: metadata.name: Required value: name or generateName is required',
    ),
    "a resource that is not served": ("gadgets", pod(), {}, 404, "the server could not find the requested resource"),
}


@pytest.mark.parametrize("what", REFUSED_CREATES)
def test_create_refuses(what: str, client: Client) -> None:
    resource, obj, more, code, text = REFUSED_CREATES[what]
    error = refusal(client.create, resource, obj, **{"namespace": "default", **more})
    assert (error.code, error.message) == (code, text)


def test_an_unknown_field_is_dropped_with_a_warning(client: Client) -> None:
    options = WriteOptions(field_validation="Warn", duplicates=('duplicate field "spec.x"',))
    written = client.create("pods", pod(foo=1), namespace="default", options=options)
    assert written.warnings == ('duplicate field "spec.x"', 'unknown field "spec.foo"')
    assert "foo" not in written.obj["spec"]


def test_a_name_is_taken_once(client: Client) -> None:
    made(client, pod())
    error = refusal(made, client, pod())
    assert (error.code, error.reason, error.message) == (409, "AlreadyExists", 'pods "p" already exists')


def test_generated_names_are_tried_again_when_taken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rolled = iter([0] * 5 + [0] * 5 + [1] * 5)
    monkeypatch.setattr("podlab.registry.chance.below", lambda limit: next(rolled))
    given = config() | {"metadata": {"generateName": "x-"}}
    assert meta_of(made(client, given))["name"] == "x-bbbbb"
    assert meta_of(made(client, given))["name"] == "x-ccccc"


def test_generating_a_name_gives_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rolls = []
    monkeypatch.setattr("podlab.registry.chance.below", lambda limit: rolls.append(limit) or 0)
    given = config() | {"metadata": {"generateName": "x-"}}
    made(client, given)
    error = refusal(made, client, given)
    assert len(rolls) == 5 * (1 + creating.GENERATE_ATTEMPTS)
    assert error.message == (
        'configmaps "x-bbbbb" already exists, the server was not able to generate a unique name for the object'
    )


def test_a_dry_run_writes_nothing(client: Client) -> None:
    before = log.head()
    dry = WriteOptions(dry_run=True)
    assert client.create("configmaps", config(a="b"), namespace="default", options=dry).obj["data"] == {"a": "b"}
    made(client, config(a="b"))
    client.update("configmaps", "default", "c", config(a="x"), options=dry)
    client.delete("configmaps", "default", "c", dry_run=True)
    assert client.get("configmaps", "default", "c").obj["data"] == {"a": "b"}
    assert log.head() == before + 1
    assert refusal(client.create, "configmaps", config(), namespace="default", options=dry).code == 409


def test_an_update_names_the_version_that_it_saw(client: Client) -> None:
    seen = made(client, config(a="1"))
    client.update("configmaps", "default", "c", {**seen, "data": {"a": "2"}})
    error = refusal(client.update, "configmaps", "default", "c", {**seen, "data": {"a": "3"}})
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == (
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to '
        "the latest version and try again"
    )
    # Without a version the last one wins.
    assert client.update("configmaps", "default", "c", config(a="4")).obj["data"] == {"a": "4"}


def test_an_update_without_a_change_keeps_the_version(client: Client) -> None:
    seen = made(client, config(a="1"))
    again = client.update("configmaps", "default", "c", config(a="1"))
    assert again.obj == seen


def test_an_update_for_a_namesake_is_refused(client: Client) -> None:
    seen = made(client, config(a="1"))
    client.delete("configmaps", "default", "c")
    made(client, config(a="2"))
    stale = {**seen, "metadata": {**seen["metadata"], "resourceVersion": ""}}
    error = refusal(client.update, "configmaps", "default", "c", stale)
    assert error.code == 409
    assert f"Precondition failed: UID in precondition: {seen['metadata']['uid']}" in error.message


def test_an_update_goes_to_the_object_of_the_url(client: Client) -> None:
    made(client, config())
    error = refusal(client.update, "configmaps", "default", "c", config("d"))
    assert (error.code, error.message) == (
        400,
        "the name of the object (d) does not match the name on the URL (c)",
    )
    assert refusal(client.update, "configmaps", "default", "none", config("none")).code == 404


def test_spec_counts_generations_and_status_does_not(client: Client) -> None:
    seen = made(client, pod())
    spec = {**seen["spec"], "activeDeadlineSeconds": 9}
    changed = client.update("pods", "default", "p", {**seen, "spec": spec, "status": {"phase": "Failed"}}).obj
    assert (meta_of(changed)["generation"], changed["status"]["phase"]) == (2, "Pending")
    client.update_status("pods", "default", "p", lambda it: it["status"].update(phase="Running"))
    found = client.get("pods", "default", "p").obj
    assert (meta_of(found)["generation"], found["status"]["phase"]) == (2, "Running")


def test_the_status_door_leaves_the_rest_alone(client: Client) -> None:
    made(client, pod())

    def mutate(it: Manifest) -> None:
        it["spec"]["nodeName"] = "n"
        it["status"] = {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}

    stored = client.update_status("pods", "default", "p", mutate)
    assert "nodeName" not in stored.obj["spec"]
    assert stored.obj["status"] == {
        "phase": "Running", "qosClass": "BestEffort", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
    }  # fmt: skip


def test_the_status_of_a_namesake_is_left_alone(client: Client) -> None:
    old = made(client, pod())["metadata"]["uid"]
    client.delete("pods", "default", "p")
    made(client, pod())
    error = refusal(client.update_status, "pods", "default", "p", lambda it: it["status"].update(phase="X"), uid=old)
    assert error.code == 409


def test_writers_of_one_status_do_not_lose_each_others_words(client: Client) -> None:
    made(client, pod())
    errors: list[BaseException] = []

    def write(number: int) -> None:
        def mutate(it: Manifest) -> None:
            it["metadata"].setdefault("annotations", {})[f"n{number}"] = "x"

        try:
            client.update_status("pods", "default", "p", mutate)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set(meta_of(client.get("pods", "default", "p").obj)["annotations"]) == {f"n{n}" for n in range(6)}


def test_events_may_be_created_by_put(client: Client) -> None:
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "reason": "R",
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
    }  # fmt: skip
    assert client.update("events", "default", "e", event).created
    assert not client.update("events", "default", "e", event | {"reason": "S"}).created


def test_every_method_asks_the_authorizer(client: Client) -> None:
    made(client, pod())
    ada = Client("main", Identity("ada", grants=(Grant("student", "main", "ada"),)), client.now)
    calls: list[tuple[Any, ...]] = [
        (ada.get, "pods", "default", "p"),
        (ada.find, "pods", "default", "p"),
        (ada.list, "pods", "default"),
        (ada.watch, "pods", None),
        (ada.create, "namespaces", namespace("x")),
        (ada.update, "pods", "default", "p", pod()),
        (ada.patch, "pods", "default", "p", "application/merge-patch+json", {}),
        (ada.update_status, "pods", "default", "p", lambda it: None),
        (ada.delete, "pods", "default", "p"),
        (ada.delete_collection, "pods", "default"),
        (ada.bind, "default", "p", "n"),
    ]
    for method, *args in calls:
        error = refusal(method, *args)
        assert (error.code, error.reason) == (403, "Forbidden"), method.__name__
        assert 'User "ada" cannot' in error.message


def test_a_cluster_that_is_not_there(client: Client) -> None:
    nowhere = Client("nowhere", client.actor, client.now)
    error = refusal(nowhere.create, "namespaces", namespace("x"))
    assert (error.code, error.message) == (404, 'cluster "nowhere" not found')
