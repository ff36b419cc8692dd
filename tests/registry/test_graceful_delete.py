"""How objects end: grace, finalizers, preconditions."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import START_TEXT, Hands, config, made, meta_of, pod, refusal

from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.storage import log

pytestmark = pytest.mark.django_db


def running(client: Client, **spec: Any) -> Manifest:
    made(client, pod(**spec))
    client.bind("default", "p", "node-a")
    return client.update_status("pods", "default", "p", lambda it: it["status"].update(phase="Running")).obj


def end(client: Client, **how: Any) -> tuple[bool, Any, Any]:
    """(gone, deletionGracePeriodSeconds, deletionTimestamp) after one DELETE."""
    deleted = client.delete("pods", "default", "p", **how)
    meta = meta_of(deleted.obj)
    return deleted.gone, meta.get("deletionGracePeriodSeconds"), meta.get("deletionTimestamp", "")[11:19]


GRACE: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[bool, int, str]]] = {
    "the spec's default": ({}, {}, (False, 30, "02:00:30")),
    "the spec's own": ({"terminationGracePeriodSeconds": 5}, {}, (False, 5, "02:00:05")),
    "the request's": ({}, {"grace": 7}, (False, 7, "02:00:07")),
    "none at all": ({}, {"grace": 0}, (True, 0, "02:00:00")),
    "none by the spec": ({"terminationGracePeriodSeconds": 0}, {}, (True, 0, "02:00:00")),
    "all that the field can hold": ({"terminationGracePeriodSeconds": 2**63 - 1}, {}, (False, 2**63 - 1, "18:00:00")),
    "all that the request can hold": ({}, {"grace": 2**63 - 1}, (False, 2**63 - 1, "18:00:00")),
    "a negative one counts as one second": ({}, {"grace": -3}, (False, 1, "02:00:01")),
}


@pytest.mark.parametrize("sentence", GRACE)
def test_a_running_pod_is_given(sentence: str, client: Client) -> None:
    spec, how, expected = GRACE[sentence]
    running(client, **spec)
    assert end(client, **how) == expected
    assert (client.find("pods", "default", "p") is None) is expected[0]


def test_deleting_counts_a_generation_once(client: Client) -> None:
    running(client)
    client.delete("pods", "default", "p")
    client.delete("pods", "default", "p", grace=3)
    assert meta_of(client.get("pods", "default", "p").obj)["generation"] == 2


def test_a_pod_without_a_node_goes_at_once(client: Client) -> None:
    made(client, pod())
    assert end(client, grace=60) == (True, 0, "02:00:00")


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_goes_at_once(phase: str, client: Client) -> None:
    running(client)
    client.update_status("pods", "default", "p", lambda it: it["status"].update(phase=phase))
    assert end(client) == (True, 0, "02:00:00")


def test_watchers_see_the_mark_before_the_end(client: Client) -> None:
    made(client, pod())
    before = log.head()
    client.delete("pods", "default", "p", why="Enough.")
    marked, gone = log.read_after(before)
    assert [marked.type, gone.type] == ["MODIFIED", "DELETED"]
    assert marked.obj["metadata"]["deletionTimestamp"] == gone.obj["metadata"]["deletionTimestamp"]
    assert [marked.why, gone.why] == ["Enough.", "Enough."]


class TestASecondDelete:
    def test_may_not_lengthen(self, client: Client) -> None:
        running(client)
        end(client, grace=10)
        assert end(client, grace=20) == (False, 10, "02:00:10")
        assert end(client) == (False, 10, "02:00:10")

    def test_may_shorten(self, client: Client, hands: Hands) -> None:
        running(client)
        end(client, grace=30)
        hands.advance(2)
        # Counted from the first request.
        assert end(client, grace=5) == (False, 5, "02:00:05")

    def test_to_less_than_has_passed_leaves_a_second(self, client: Client, hands: Hands) -> None:
        running(client)
        end(client, grace=30)
        hands.advance(20)
        assert end(client, grace=5) == (False, 1, "02:00:21")

    def test_with_zero_removes(self, client: Client) -> None:
        running(client)
        end(client)
        assert end(client, grace=0)[0]
        assert refusal(client.delete, "pods", "default", "p").code == 404


class TestFinalizers:
    def test_keep_the_object_until_they_are_taken_off(self, client: Client) -> None:
        held = config(a="b")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        made(client, held)
        deleted = client.delete("configmaps", "default", "c")
        assert not deleted.gone
        assert meta_of(deleted.obj)["deletionGracePeriodSeconds"] == 0
        error = refusal(made, client, config())
        assert error.message == 'object is being deleted: configmaps "c" already exists'
        free = {**deleted.obj, "metadata": {**deleted.obj["metadata"], "finalizers": []}}
        written = client.update("configmaps", "default", "c", free)
        assert written.stored is None
        assert client.find("configmaps", "default", "c") is None
        assert log.read_after(log.head() - 1)[0].type == "DELETED"

    def test_keep_a_pod_whose_grace_is_over(self, client: Client) -> None:
        held = pod()
        held["metadata"]["finalizers"] = ["example.com/hold"]
        made(client, held)
        assert end(client) == (False, 0, "02:00:00")
        assert end(client, grace=0) == (False, 0, "02:00:00")

    def test_taken_off_within_the_grace_do_not_end_a_pod(self, client: Client) -> None:
        held = pod()
        held["metadata"]["finalizers"] = ["example.com/hold"]
        made(client, held)
        client.bind("default", "p", "node-a")
        end(client, grace=30)
        client.update_status("pods", "default", "p", lambda it: it["metadata"].pop("finalizers"))
        assert client.find("pods", "default", "p") is not None


PRECONDITIONS = {
    "another uid": (
        {"uid": "11111111-1111-1111-1111-111111111111"},
        'Operation cannot be fulfilled on Pod "p": the UID in the precondition (11111111-1111-1111-1111-111111111111) '
        "does not match the UID in record ({uid}). The object might have been deleted and then recreated",
    ),
    "another version": (
        {"resource_version": "1"},
        'Operation cannot be fulfilled on Pod "p": the ResourceVersion in the precondition (1) does not match the '
        "ResourceVersion in record ({resourceVersion}). The object might have been modified",
    ),
}


@pytest.mark.parametrize("what", PRECONDITIONS)
def test_a_precondition_that_fails_is_a_conflict(what: str, client: Client) -> None:
    how, text = PRECONDITIONS[what]
    meta = meta_of(made(client, pod()))
    error = refusal(client.delete, "pods", "default", "p", **how)
    assert (error.code, error.message) == (409, text.format(**meta))
    assert error.details == {"name": "p", "kind": "Pod"}
    assert client.delete("pods", "default", "p", uid=meta["uid"], resource_version=meta["resourceVersion"]).gone


def test_what_a_delete_answers(client: Client) -> None:
    """Kubernetes returns pods and service accounts, and a Status for what else is gone."""
    uid = meta_of(made(client, config()))["uid"]
    made(client, pod())
    assert client.delete("configmaps", "default", "c").answer == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "c", "kind": "configmaps", "uid": uid},
    }  # fmt: skip
    assert client.delete("pods", "default", "p").answer["kind"] == "Pod"


def test_propagation_policies(client: Client) -> None:
    made(client, config())
    bad = refusal(client.delete, "configmaps", "default", "c", propagation="Foo")
    assert bad.message == (
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo": supported values: '
        '"Foreground", "Background", "Orphan", "nil"'
    )
    assert client.delete("configmaps", "default", "c", propagation="Background").gone


def test_a_job_that_is_not_there_is_warned_about_all_the_same(client: Client) -> None:
    missing = refusal(client.delete, "jobs.batch", "default", "none")
    assert missing.code == 404
    assert [text.partition(";")[0] for text in missing.warnings] == [
        "child pods are preserved by default when jobs are deleted"
    ]
    assert refusal(client.delete, "jobs.batch", "default", "none", propagation="Orphan").warnings == ()


def test_a_collection_is_deleted_by_selector(client: Client) -> None:
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        obj = config(name)
        obj["metadata"]["labels"] = {"l": label}
        made(client, obj)
    deleted = client.delete_collection("configmaps", "default", label_selector="l=x")
    assert [meta_of(item.obj)["name"] for item in deleted] == ["a", "c"]
    assert client.find("configmaps", "default", "b") is not None


POLICIES: dict[str, tuple[list[str], str | None, list[str] | None]] = {
    "without a word the object just goes": ([], None, None),
    "Background says the same": ([], "Background", None),
    "Orphan waits for the garbage collector": ([], "Orphan", ["orphan"]),
    "Foreground waits for it too": (["a.b/c"], "Foreground", ["a.b/c", "foregroundDeletion"]),
    "what the object carries counts without a word": (["orphan"], None, ["orphan"]),
    "and not against one": (["orphan"], "Foreground", ["foregroundDeletion"]),
    "Background takes it off": (["orphan"], "Background", None),
}


@pytest.mark.parametrize(("before", "policy", "after"), list(POLICIES.values()), ids=list(POLICIES))
def test_the_policy_is_written_on_the_object(
    client: Client, before: list[str], policy: str | None, after: list[str] | None
) -> None:
    obj = config()
    obj["metadata"]["finalizers"] = before
    made(client, obj)
    gone = client.delete("configmaps", "default", "c", propagation=policy)
    assert gone.gone is (after is None)
    if after is not None:
        meta = client.get("configmaps", "default", "c").obj["metadata"]
        assert (meta["finalizers"], meta["deletionTimestamp"]) == (after, START_TEXT)
