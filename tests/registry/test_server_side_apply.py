"""Server-side apply and managedFields through the client, as several programs would meet on one object."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import refusal

from podlab.apis import schema
from podlab.registry import patch as patches
from podlab.registry.apply import check, compare, fieldset, managers, merge, shapes
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions, Written

DEPLOYED: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]},
}


def options(manager: str, *, force: bool = False, dry_run: bool = False) -> WriteOptions:
    return WriteOptions(field_manager=manager, force=force, dry_run=dry_run)


def apply(
    client: Client, manager: str, config: dict[str, Any], *, force: bool = False, subresource: str = ""
) -> Written:
    key = {"Pod": "pods", "ConfigMap": "configmaps"}[config["kind"]]
    return client.patch(
        key, "default", config["metadata"]["name"], patches.APPLY_PATCH, config,
        options=options(manager, force=force), subresource=subresource,
    )  # fmt: skip


def settings(data: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", **meta}, "data": data}


def data_of(written: Written) -> dict[str, str]:
    return dict(written.obj.get("data") or {})


def owners(client: Client, key: str = "configmaps", name: str = "m") -> dict[tuple[str, str, str], Any]:
    meta = client.get(key, "default", name).obj["metadata"]
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in meta.get("managedFields", [])
    }


def test_an_apply_creates_then_changes_then_leaves_alone(client: Client) -> None:
    first = apply(client, "one", settings({"a": "1"}))
    again = apply(client, "one", settings({"a": "1"}))
    changed = apply(client, "one", settings({"a": "2"}))
    assert (first.created, again.created, changed.created) == (True, False, False)
    assert first.stored == again.stored
    assert data_of(changed) == {"a": "2"}
    assert owners(client) == {("one", "Apply", ""): {"f:data": {"f:a": {}}}}


def test_what_is_no_longer_applied_goes_unless_somebody_else_owns_it(client: Client) -> None:
    apply(client, "one", settings({"a": "1", "b": "2"}))
    apply(client, "two", settings({"b": "2"}))
    assert data_of(apply(client, "one", settings({"c": "3"}))) == {"b": "2", "c": "3"}
    gone = apply(client, "two", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}})
    assert data_of(gone) == {"c": "3"}
    assert set(owners(client)) == {("one", "Apply", "")}


def test_conflicts_name_the_owner_and_force_takes_over(client: Client) -> None:
    apply(client, "one", settings({"a": "1"}, labels={"x": "y"}))
    error = refusal(apply, client, "two", settings({"a": "9"}, labels={"x": "z"}))
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .metadata.labels.x'
    assert error.details == {
        "causes": [
            {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"},
            {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".metadata.labels.x"},
        ]
    }
    assert data_of(apply(client, "two", settings({"a": "9"}), force=True)) == {"a": "9"}
    assert owners(client) == {
        ("one", "Apply", ""): {"f:metadata": {"f:labels": {"f:x": {}}}},
        ("two", "Apply", ""): {"f:data": {"f:a": {}}},
    }


def test_an_update_takes_fields_without_asking_and_is_in_the_way_of_an_apply(client: Client) -> None:
    apply(client, "one", settings({"a": "1", "b": "1"}))
    client.patch("configmaps", "default", "m", patches.MERGE_PATCH, {"data": {"a": "7"}}, options=options("z"))
    assert owners(client) == {
        ("one", "Apply", ""): {"f:data": {"f:b": {}}},
        ("z", "Update", ""): {"f:data": {"f:a": {}}},
    }
    error = refusal(apply, client, "one", settings({"a": "1", "b": "1"}))
    assert error.message == 'Apply failed with 1 conflict: conflict with "z" using v1: .data.a'


def test_the_same_value_is_owned_together(client: Client) -> None:
    apply(client, "one", settings({"a": "1"}))
    apply(client, "two", settings({"a": "1"}))
    assert data_of(apply(client, "one", settings({"b": "2"}))) == {"a": "1", "b": "2"}


def test_defaults_and_status_belong_to_nobody_who_did_not_say_them(client: Client) -> None:
    apply(client, "one", DEPLOYED)
    stated = {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}}}}
    wanted: dict[tuple[str, str, str], Any] = {
        ("one", "Apply", ""): {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": stated},
    }
    assert owners(client, "pods", "p") == wanted
    client.update_status("pods", "default", "p", lambda pod: pod["status"].update(message="hm"))
    wanted["test", "Update", "status"] = {"f:status": {"f:message": {}}}
    assert owners(client, "pods", "p") == wanted


def test_an_element_of_a_list_goes_with_its_defaults(client: Client) -> None:
    ports = {
        "containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]
    }
    gated = {"schedulingGates": [{"name": "x.io/g"}]}
    apply(client, "one", {**DEPLOYED, "spec": {**ports, **gated}})
    apply(client, "two", {**DEPLOYED, "spec": {**gated, "containers": [{"name": "c", "image": "i"}]}})
    only = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    assert "labels" in apply(client, "one", {**only, "spec": {**ports}}).obj["metadata"]  # two owns them still
    left = apply(client, "two", {**only, "spec": {"containers": [{"name": "c", "image": "i"}]}}).obj
    assert "labels" not in left["metadata"]
    assert "schedulingGates" not in left["spec"]


def test_the_status_is_applied_at_its_own_place(client: Client) -> None:
    apply(client, "one", {**DEPLOYED, "status": {"message": "not here"}})
    assert "message" not in client.get("pods", "default", "p").obj["status"]
    head = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    written = apply(
        client, "two", {**head, "spec": {"hostname": "h"}, "status": {"message": "x"}}, subresource="status"
    )
    assert (written.obj["status"]["message"], "hostname" in written.obj["spec"]) == ("x", False)
    assert owners(client, "pods", "p")["two", "Apply", "status"] == {"f:status": {"f:message": {}}}
    missing = refusal(apply, client, "two", {**head, "metadata": {"name": "none"}}, subresource="status")
    assert missing.code == 404


def test_a_dry_run_stores_nothing(client: Client) -> None:
    config = settings({"a": "1"})
    client.patch(
        "configmaps", "default", "m", patches.APPLY_PATCH, config, options=options("one", dry_run=True)
    )  # fmt: skip
    assert client.find("configmaps", "default", "m") is None


def test_kubectl_takes_over_what_it_applied_from_the_clients_side(client: Client) -> None:
    last = '{"apiVersion":"v1","data":{"a":"1"},"kind":"ConfigMap","metadata":{"name":"m"}}\n'
    note = {"kubectl.kubernetes.io/last-applied-configuration": last}
    client.create(
        "configmaps", settings({"a": "1"}, annotations=note), namespace="default",
        options=options("kubectl-client-side-apply"),
    )  # fmt: skip
    other = refusal(apply, client, "somebody", settings({"a": "2"}))
    assert 'conflict with "kubectl-client-side-apply" using v1: .data.a' in other.message
    taken = apply(client, "kubectl", settings({"a": "2"}))
    assert data_of(taken) == {"a": "2"}
    kept = taken.obj["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert '"data":{"a":"2"}' in kept


def test_a_client_may_write_the_entries_and_reset_them(client: Client) -> None:
    apply(client, "one", settings({"a": "1"}))
    entries = client.get("configmaps", "default", "m").obj["metadata"]["managedFields"]
    renamed = [{**entries[0], "manager": "two"}]
    put = {"metadata": {"managedFields": renamed}}
    client.patch("configmaps", "default", "m", patches.MERGE_PATCH, put, options=options("x"))
    assert set(owners(client)) == {("two", "Apply", "")}
    nonsense = {"metadata": {"managedFields": [{"manager": "x", "operation": "Guess"}]}}
    client.patch("configmaps", "default", "m", patches.MERGE_PATCH, nonsense, options=options("x"))
    assert set(owners(client)) == {("two", "Apply", "")}
    client.patch(
        "configmaps", "default", "m", patches.JSON_PATCH,
        [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}], options=options("x"),
    )  # fmt: skip
    assert owners(client) == {}


def test_entries_of_updates_are_at_most_ten(client: Client) -> None:
    client.create("configmaps", settings({"a": "0"}), namespace="default", options=options("first"))
    for number in range(15):
        change = {"data": {f"k{number}": "v"}}
        client.patch("configmaps", "default", "m", patches.MERGE_PATCH, change, options=options(f"m{number}"))
    found = owners(client)
    assert len(found) == managers.MAX_UPDATERS
    assert ("ancient-changes", "Update", "") in found
    joined: dict[str, Any] = {}
    for fields in found.values():
        joined = fieldset.union(joined, fields)
    assert {name for name in joined["f:data"] if name != "."} == {"f:a", *(f"f:k{number}" for number in range(15))}


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        pytest.param({"spec": {"foo": 1}}, 500, ".spec.foo: field not declared in schema", id="unknown field"),
        pytest.param({"spec": {"containers": "abc"}}, 500, ".spec.containers: expected list, got &{abc}", id="no list"),
        pytest.param({"spec": {"nodeSelector": 1}}, 500, ".spec.nodeSelector: expected map, got &{1}", id="no map"),
        pytest.param({"spec": {"hostNetwork": "x"}}, 500, ".spec.hostNetwork: expected boolean, got &{x}", id="no boolean"),
        pytest.param(
            {"spec": {"priority": "1", "hostname": 1}}, 500,
            "errors:\n  .spec.priority: expected numeric (int or float), got string\n"
            "  .spec.hostname: expected string, got &value.valueUnstructured{Value:1}", id="two at once",
        ),
        pytest.param(
            {"spec": {"containers": [{"name": "c"}, {"name": "c"}]}}, 500,
            '.spec.containers: duplicate entries for key [name="c"]', id="one key twice",
        ),
        pytest.param({"kind": "Thing"}, 400, "invalid object type: /v1, Kind=Thing", id="another kind"),
        pytest.param({"metadata": {}}, 400, "(p based on URL) was undeterminable: name must be provided", id="no name"),
        pytest.param({"metadata": {"name": "q"}}, 400, "(q) does not match the name on the URL (p)", id="another name"),
        pytest.param(
            {"metadata": {"name": "p", "managedFields": []}}, 400, "metadata.managedFields must be nil", id="its own owners"
        ),
    ],
)  # fmt: skip
def test_a_configuration_that_is_refused(client: Client, change: dict[str, Any], code: int, text: str) -> None:
    config = {**DEPLOYED, **change}
    error = refusal(client.patch, "pods", "default", "p", patches.APPLY_PATCH, config, options=options("one"))
    assert error.code == code
    assert text in error.message


def test_a_stale_resource_version_is_a_conflict(client: Client) -> None:
    apply(client, "one", settings({"a": "1"}, resourceVersion="5"))  # nothing is there: nothing to be stale
    error = refusal(apply, client, "one", settings({"a": "2"}, resourceVersion="5"))
    assert (error.code, "the object has been modified" in error.message) == (409, True)


# Order of lists: what both have keeps the applied order, elements of others stay where they were.
ORDERS = {
    "nothing was there": ("", "ab", "ab"),
    "others stay in front": ("xab", "ab", "xab"),
    "others stay between": ("axb", "ab", "axb"),
    "new ones come in their place": ("ac", "abc", "abc"),
    "the applied order wins": ("ab", "ba", "ba"),
    "others keep their place when the order changes": ("axb", "ba", "xba"),
    "others stay at the end": ("abx", "cab", "cabx"),
}


@pytest.mark.parametrize(("live", "applied", "wanted"), ORDERS.values(), ids=list(ORDERS))
def test_the_order_of_merged_lists(live: str, applied: str, wanted: str) -> None:
    pod = shapes.of(schema.definition_of_kind("v1", "Pod") or "")
    named = lambda text: {"spec": {"volumes": [{"name": name} for name in text]}}  # noqa: E731
    found = merge.merged(pod, named(live), named(applied))
    assert "".join(item["name"] for item in found["spec"]["volumes"]) == wanted


def test_sets_of_paths() -> None:
    pod = shapes.of(schema.definition_of_kind("v1", "Pod") or "")
    config = {
        "metadata": {"finalizers": ["x/y"], "labels": {}},
        "spec": {
            "containers": [{"name": "c", "ports": [{"containerPort": 80}], "args": ["a"]}],
            "nodeSelector": {"a": "b"},
        },
    }
    assert check.problems(pod, config) == ""
    found = compare.field_set(pod, config)
    assert [fieldset.text(path) for path in fieldset.paths(found)] == [
        ".metadata.labels",
        '.metadata.finalizers[="x/y"]',
        ".spec.nodeSelector",
        '.spec.containers[name="c"]',
        '.spec.containers[name="c"].args',
        '.spec.containers[name="c"].name',
        '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]',
        '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort',
    ]
    some = {"f:spec": {"f:nodeSelector": {}, "f:containers": {'k:{"name":"c"}': {".": {}}}}}
    rest = [fieldset.text(path) for path in fieldset.paths(fieldset.difference(found, some))]
    assert '.spec.containers[name="c"]' not in rest
    assert '.spec.containers[name="c"].args' in rest
    both = [fieldset.text(path) for path in fieldset.paths(fieldset.intersection(found, some))]
    assert both == [".spec.nodeSelector", '.spec.containers[name="c"]']


def test_an_older_version_is_applied_to_the_same_object(client: Client) -> None:
    """Ownership is kept in the words of the stored version."""
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3}
    config: dict[str, Any] = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {**spec, "targetCPUUtilizationPercentage": 50},
    }
    handle, key = "horizontalpodautoscalers.v1.autoscaling", "horizontalpodautoscalers.autoscaling"
    written = client.patch(handle, "default", "h", patches.APPLY_PATCH, config, options=options("one"))
    assert (written.created, written.obj["apiVersion"]) == (True, "autoscaling/v1")
    stored = client.get(key, "default", "h").obj
    assert stored["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    changed = {**config, "spec": {**spec, "maxReplicas": 5}}
    client.patch(handle, "default", "h", patches.APPLY_PATCH, changed, options=options("one"))
    assert client.get(key, "default", "h").obj["spec"]["maxReplicas"] == 5
    assert set(owners(client, key, "h")) == {("one", "Apply", "")}
