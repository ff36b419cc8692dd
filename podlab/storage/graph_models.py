"""The projection of pods into tables, rebuilt by `storage.graph.project` in the transaction of each write.

Forms and graph views read it; the JSON on the object row stays the truth."""

from __future__ import annotations

from django.db import models


class GraphPod(models.Model):
    cluster = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=36)
    node = models.CharField(max_length=253, blank=True)
    phase = models.CharField(max_length=16, blank=True)
    restart_policy = models.CharField(max_length=16, blank=True)
    qos = models.CharField(max_length=16, blank=True)
    service_account = models.CharField(max_length=253, blank=True)
    host_network = models.BooleanField(default=False)
    deleting = models.BooleanField(default=False)
    cpu_milli = models.BigIntegerField(default=0)  # effective request
    memory_bytes = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "uid"], name="graph_pod")]
        indexes = [
            models.Index(fields=["cluster", "namespace", "name"], name="graph_pod_name"),
            models.Index(fields=["cluster", "node"], name="graph_pod_node"),
        ]


class GraphContainer(models.Model):
    class Sort(models.TextChoices):
        INIT = "init"
        SIDECAR = "sidecar"
        APP = "app"
        EPHEMERAL = "ephemeral"

    pod = models.ForeignKey(GraphPod, models.CASCADE, related_name="containers")
    name = models.CharField(max_length=63)
    sort = models.CharField(max_length=9, choices=Sort)
    position = models.PositiveSmallIntegerField()
    image = models.CharField(max_length=512, blank=True)
    cpu_milli = models.BigIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)


class GraphProbe(models.Model):
    container = models.ForeignKey(GraphContainer, models.CASCADE, related_name="probes")
    type = models.CharField(max_length=10)  # startup | liveness | readiness
    handler = models.CharField(max_length=10)  # exec | httpGet | tcpSocket | grpc
    initial_delay = models.IntegerField(default=0)
    period = models.IntegerField(default=10)
    timeout = models.IntegerField(default=1)
    success_threshold = models.IntegerField(default=1)
    failure_threshold = models.IntegerField(default=3)


class GraphVolume(models.Model):
    pod = models.ForeignKey(GraphPod, models.CASCADE, related_name="volumes")
    name = models.CharField(max_length=63)
    source = models.CharField(max_length=32)  # emptyDir, configMap, …
    source_name = models.CharField(max_length=253, blank=True)


class GraphMount(models.Model):
    container = models.ForeignKey(GraphContainer, models.CASCADE, related_name="mounts")
    volume = models.CharField(max_length=63)
    path = models.CharField(max_length=1024)
    read_only = models.BooleanField(default=False)
    sub_path = models.CharField(max_length=1024, blank=True)


class GraphPort(models.Model):
    container = models.ForeignKey(GraphContainer, models.CASCADE, related_name="ports")
    name = models.CharField(max_length=15, blank=True)
    container_port = models.PositiveIntegerField()
    host_port = models.PositiveIntegerField(default=0)
    protocol = models.CharField(max_length=4, default="TCP")


class GraphEnvSource(models.Model):
    container = models.ForeignKey(GraphContainer, models.CASCADE, related_name="env_sources")
    env = models.CharField(max_length=512, blank=True)  # "" = envFrom
    kind = models.CharField(max_length=16)  # configMap | secret | field | resource
    name = models.CharField(max_length=253, blank=True)
    key = models.CharField(max_length=253, blank=True)


class GraphEdge(models.Model):
    """owner: from the owned object to its owner; scheduled-on: pod to node; mounts: pod to what it mounts;
    selects: selecting object to pod."""

    cluster = models.CharField(max_length=63)
    type = models.CharField(max_length=12)  # owner | selects | mounts | scheduled-on
    namespace = models.CharField(max_length=63, blank=True)
    from_resource = models.CharField(max_length=96)
    from_name = models.CharField(max_length=253)
    from_uid = models.CharField(max_length=36)
    to_resource = models.CharField(max_length=96)
    to_name = models.CharField(max_length=253)
    to_uid = models.CharField(max_length=36, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["cluster", "from_uid"], name="graph_edge_from"),
            models.Index(fields=["cluster", "namespace", "type"], name="graph_edge_ns"),
            models.Index(fields=["cluster", "to_uid"], name="graph_edge_to"),
        ]
