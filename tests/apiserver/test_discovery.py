"""Discovery, version, OpenAPI and health, through Django's client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import AsyncClient

from podlab.apiserver import openapi

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def get(api: AsyncClient, path: str, **headers: str) -> Any:
    answer = await api.get(path, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer


@pytest.mark.parametrize("path", ["/version", "/version/"])
async def test_the_version_needs_no_token(anybody: AsyncClient, path: str) -> None:
    version = (await get(anybody, path)).json()
    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.")


@pytest.mark.parametrize("path", ["/api", "/api/", "/apis", "/apis/"])
async def test_the_roots_take_a_trailing_slash(api: AsyncClient, path: str) -> None:
    assert (await get(api, path)).json()["kind"] in {"APIVersions", "APIGroupList"}


async def test_resources_are_listed_as_kubernetes_lists_them(api: AsyncClient) -> None:
    listed = (await get(api, "/api/v1")).json()
    entries = {item["name"]: item for item in listed["resources"]}
    assert listed["groupVersion"] == "v1"
    assert entries["pods"] == {
        "name": "pods",
        "singularName": "pod",
        "namespaced": True,
        "kind": "Pod",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["po"],
        "categories": ["all"],
        "storageVersionHash": "xPOwRZ+Yhw8=",
    }
    assert entries["pods/log"] == {
        "name": "pods/log",
        "singularName": "",
        "namespaced": True,
        "kind": "Pod",
        "verbs": ["get"],
    }


async def test_aggregated_discovery_echoes_its_type(api: AsyncClient) -> None:
    answer = await get(api, "/api", Accept=AGGREGATED)
    assert answer["Content-Type"] == AGGREGATED
    found = answer.json()
    assert (found["kind"], found["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    resources = {item["resource"]: item for item in found["items"][0]["versions"][0]["resources"]}
    assert resources["namespaces"]["scope"] == "Cluster"
    assert {item["subresource"] for item in resources["pods"]["subresources"]} >= {"log", "status", "binding"}


async def test_the_core_document_lets_kubectl_validate_on_the_server(api: AsyncClient) -> None:
    index = json.loads((await get(api, "/openapi/v3")).content)
    url = index["paths"]["api/v1"]["serverRelativeURL"]
    document = (await get(api, url)).json()
    post = document["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"]
    assert post["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert {item["name"] for item in post["parameters"]} == {"dryRun", "fieldManager", "fieldValidation"}
    pod = document["components"]["schemas"]["io.k8s.api.core.v1.Pod"]
    assert pod["type"] == "object"
    assert pod["description"]


@pytest.mark.parametrize("key", ["api/v1", "apis/apps/v1", "apis/policy/v1", "apis/autoscaling/v2", "apis/batch/v1"])
def test_every_reference_of_a_document_leads_somewhere(key: str) -> None:
    text = openapi.document(key).decode()
    document = json.loads(text)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references
    assert references <= set(document["components"]["schemas"])
    operations = [
        operation for item in document["paths"].values() for name, operation in item.items() if name != "parameters"
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert all(operation.get("parameters", ids) for operation in operations), "what is empty is left out, as by Go"


def test_a_document_says_what_each_place_takes_and_gives() -> None:
    paths = json.loads(openapi.document("apis/apps/v1"))["paths"]
    many = paths["/apis/apps/v1/namespaces/{namespace}/deployments"]
    one = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    scale = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]
    body = one["put"]["requestBody"]["content"]["*/*"]["schema"]["$ref"]
    assert body.endswith("io.k8s.api.apps.v1.Deployment")
    assert many["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("DeploymentList")
    assert {"labelSelector", "continue", "watch"} <= {item["name"] for item in many["get"]["parameters"]}
    assert "application/apply-patch+yaml" in one["patch"]["requestBody"]["content"]
    assert one["delete"]["operationId"] == "deleteAppsV1NamespacedDeployment"
    assert many["delete"]["operationId"] == "deleteAppsV1CollectionNamespacedDeployment"
    assert scale["put"]["requestBody"]["content"]["*/*"]["schema"]["$ref"].endswith("io.k8s.api.autoscaling.v1.Scale")


async def test_other_clusters_name_documents_below_their_prefix(api: AsyncClient) -> None:
    index = json.loads((await get(api, "/clusters/main/openapi/v3")).content)
    assert index["paths"]["api/v1"]["serverRelativeURL"].startswith("/clusters/main/openapi/v3/api/v1?hash=")


async def test_the_version_2_document_is_small_and_parses_as_protobuf(api: AsyncClient) -> None:
    answer = await get(api, "/openapi/v2")
    assert answer["Content-Type"] == openapi.V2_TYPE
    assert answer.content.hex(" ") == "0a 03 32 2e 30 12 09 0a 01 4b 12 04 76 31 2e 30"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_health_needs_no_token(anybody: AsyncClient, path: str) -> None:
    assert (await get(anybody, path)).content == b"ok"
    assert b"[+]ping ok" in (await get(anybody, path + "?verbose")).content


@pytest.mark.usefixtures("transactional_db")
async def test_readiness_says_what_is_missing(settings: Any) -> None:
    settings.ROOT_URLCONF, settings.MIDDLEWARE = "api_urls", []
    answer = await AsyncClient().get("/readyz")
    assert answer.status_code == 500
    assert 'there is no cluster "main" yet' in answer.content.decode()
    assert "[+]database ok" in answer.content.decode()


async def test_an_unknown_path_is_not_found(api: AsyncClient) -> None:
    answer = await api.get("/api/v2")
    assert answer.status_code == 404
    assert answer.json()["message"] == "the server could not find the requested resource"
    answer = await api.get("/apis/foo.example.com/v1/foos")
    assert (answer.status_code, answer.content) == (404, b"404 page not found\n")


async def test_the_root_lists_paths(api: AsyncClient) -> None:
    assert "/apis" in (await get(api, "/")).json()["paths"]
