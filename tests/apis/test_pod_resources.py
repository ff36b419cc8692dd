"""What a pod asks for, summed up."""

from __future__ import annotations

from podlab.apis import pods


def test_resources_of_the_pod_count_before_those_of_its_containers() -> None:
    container = {"name": "c", "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}}
    spec = {"containers": [container], "resources": {"requests": {"cpu": "2"}}, "overhead": {"cpu": "500m"}}
    assert pods.total_requests({"spec": spec}) == {"cpu": 2_500_000_000, "memory": 2**30 * 10**9}
