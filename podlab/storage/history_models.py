"""What the lab remembers beside the log: container runs, probe results. Written through `storage.history` only."""

from __future__ import annotations

from django.db import models


class ContainerRun(models.Model):
    """One start of one container. Updated once, when it ends."""

    cluster = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    pod = models.CharField(max_length=253)
    pod_uid = models.CharField(max_length=36)
    container = models.CharField(max_length=63)
    attempt = models.PositiveIntegerField()  # restartCount of this run
    node = models.CharField(max_length=253)
    container_id = models.CharField(max_length=128)
    image = models.CharField(max_length=512)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    reason = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    start_why = models.TextField(blank=True)
    stop_why = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "pod_uid", "container", "attempt"], name="container_run"),
        ]


class ProbeResult(models.Model):
    """One probe. `seq` comes from Counter(HISTORY) inside the writing transaction, so readers can follow it."""

    seq = models.BigIntegerField(primary_key=True)
    cluster = models.CharField(max_length=63)
    pod_uid = models.CharField(max_length=36)
    container = models.CharField(max_length=63)
    attempt = models.PositiveIntegerField()
    probe = models.CharField(max_length=10)  # startup | liveness | readiness
    at = models.DateTimeField()
    latency_ms = models.FloatField()
    outcome = models.CharField(max_length=8)  # success | failure | error | warning
    message = models.TextField(blank=True)
    run = models.PositiveIntegerField()  # consecutive equal outcomes, this one included
    threshold = models.PositiveIntegerField()  # of failureThreshold or successThreshold, as the outcome goes
    caused = models.CharField(max_length=16, blank=True)  # restart | ready | unready | started, when it crossed

    class Meta:
        indexes = [models.Index(fields=["cluster", "pod_uid", "seq"], name="probe_pod")]


class ImagePull(models.Model):
    """One pull of an image for a container. `seq` comes from Counter(PULLS) and is new with each change."""

    seq = models.BigIntegerField(unique=True)
    cluster = models.CharField(max_length=63)
    pod_uid = models.CharField(max_length=36)
    container = models.CharField(max_length=63)
    image = models.CharField(max_length=512)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    layers = models.PositiveIntegerField(default=0)
    layers_done = models.PositiveIntegerField(default=0)
    current = models.BigIntegerField(default=0)  # bytes
    total = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "pod_uid", "container", "started_at"], name="image_pull"),
        ]


class ContainerUsage(models.Model):
    """What a container uses now. Replaced by `storage.usage`, never kept."""

    cluster = models.CharField(max_length=63)
    node = models.CharField(max_length=253)
    namespace = models.CharField(max_length=63)
    pod = models.CharField(max_length=253)
    pod_uid = models.CharField(max_length=36)
    container = models.CharField(max_length=63)
    at = models.DateTimeField()
    wall = models.DateTimeField()
    window = models.FloatField()
    cpu_nano_cores = models.BigIntegerField()
    memory_bytes = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "pod_uid", "container"], name="container_usage"),
        ]
        indexes = [models.Index(fields=["cluster", "node"], name="usage_node")]
