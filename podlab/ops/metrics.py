"""GET /metrics: what a Prometheus asks. Counts only, no names of users' things."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from podlab.storage.models import REVISIONS, Cluster, Counter, GraphPod, Object


class LabCollector(Collector):
    """Reads the tables when asked; nothing is counted twice."""

    def collect(self) -> list[GaugeMetricFamily]:
        counter = Counter.objects.filter(name=REVISIONS).first()
        revision = GaugeMetricFamily("podlab_revision", "Newest revision of the change log")
        revision.add_metric([], counter.value if counter else 0)
        clusters = GaugeMetricFamily("podlab_clusters", "Clusters by runtime", labels=["runtime"])
        for row in Cluster.objects.values("runtime").annotate(n=Count("name")).order_by("runtime"):
            clusters.add_metric([row["runtime"]], row["n"])
        objects = GaugeMetricFamily("podlab_objects", "API objects by resource", labels=["resource"])
        for row in Object.objects.values("resource").annotate(n=Count("id")).order_by("resource"):
            objects.add_metric([row["resource"]], row["n"])
        pods = GaugeMetricFamily("podlab_pods", "Pods by phase", labels=["phase"])
        for row in GraphPod.objects.values("phase").annotate(n=Count("id")).order_by("phase"):
            pods.add_metric([row["phase"] or "Unknown"], row["n"])
        return [revision, clusters, objects, pods]

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing up front: registering must not ask the database."""
        return []


REGISTRY.register(LabCollector())


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
