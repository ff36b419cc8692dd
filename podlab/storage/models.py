"""Clusters, objects and the change log. Only `storage.store` and `storage.clusters` write these rows."""

from __future__ import annotations

from django.db import models

# The rows of Counter.
REVISIONS = "revisions"  # one for all clusters, so that a fork and its origin share one history
HISTORY = "history"  # of probe results
CLUSTERS = "clusters"  # of changes to cluster rows
PULLS = "pulls"  # of changes to pulls of images


class Counter(models.Model):
    """A number that only grows, taken inside the write transaction: commit order is number order, without gaps.
    `floor` is the compaction floor: what lies at or below it can no longer be replayed."""

    name = models.CharField(primary_key=True, max_length=16)
    value = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)


class Cluster(models.Model):
    """A world of its own. Lab time is a line through (anchor_wall, anchor_lab), see `clock.LabTime`."""

    class Runtime(models.TextChoices):
        DOCKER = "docker"
        SIM = "sim"
        REPLAY = "replay"  # a run that was imported: nobody plays it, and it takes no writes

    name = models.CharField(primary_key=True, max_length=63)
    uid = models.CharField(max_length=36, unique=True)
    runtime = models.CharField(max_length=8, choices=Runtime)
    seed = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    deleting = models.BooleanField(default=False)
    anchor_wall = models.DateTimeField()
    anchor_lab = models.DateTimeField()
    speed = models.FloatField(default=1.0)
    paused = models.BooleanField(default=False)
    # A request to the clock's owner: run to the next transition after this revision of the clock.
    steps_wanted = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=63, blank=True)  # forked from
    origin_revision = models.BigIntegerField(default=0)
    origin_at = models.DateTimeField(null=True)  # lab time of that moment


class Object(models.Model):
    """The present state of one API object. `body` is its API JSON, resourceVersion included: served as it is."""

    cluster = models.CharField(max_length=63)
    resource = models.CharField(max_length=96)
    namespace = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=36)
    revision = models.BigIntegerField()
    created_revision = models.BigIntegerField()
    body = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "resource", "namespace", "name"], name="object_key"),
        ]
        indexes = [models.Index(fields=["cluster", "uid"], name="object_uid")]


class Change(models.Model):
    """One committed write. `body` is the object after it (of a deletion: its last state, with this revision)."""

    class Type(models.TextChoices):
        ADDED = "ADDED"
        MODIFIED = "MODIFIED"
        DELETED = "DELETED"

    revision = models.BigIntegerField(primary_key=True)
    prev_revision = models.BigIntegerField(default=0)  # of the same object; 0 for ADDED
    created_revision = models.BigIntegerField()
    type = models.CharField(max_length=8, choices=Type)
    cluster = models.CharField(max_length=63)
    resource = models.CharField(max_length=96)
    namespace = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=36)
    body = models.TextField()
    at = models.DateTimeField()  # lab time of the cluster
    wall = models.DateTimeField()
    actor = models.CharField(max_length=128, blank=True)  # user name or component
    why = models.TextField(blank=True)  # the decision behind this write, one or two sentences

    class Meta:
        indexes = [
            models.Index(fields=["cluster", "resource", "namespace", "name", "revision"], name="change_key"),
            models.Index(fields=["cluster", "uid", "revision"], name="change_uid"),
        ]


# Django finds an app's tables through its models module.
from podlab.storage.graph_models import (  # noqa: E402
    GraphContainer,
    GraphEdge,
    GraphEnvSource,
    GraphMount,
    GraphPod,
    GraphPort,
    GraphProbe,
    GraphVolume,
)
from podlab.storage.history_models import ContainerRun, ContainerUsage, ImagePull, ProbeResult  # noqa: E402
from podlab.storage.identity_models import AccountGrant, ApiToken, LoginLink, RoleGrant  # noqa: E402

__all__ = [
    "CLUSTERS",
    "HISTORY",
    "PULLS",
    "REVISIONS",
    "AccountGrant",
    "ApiToken",
    "Change",
    "Cluster",
    "ContainerRun",
    "ContainerUsage",
    "Counter",
    "GraphContainer",
    "GraphEdge",
    "GraphEnvSource",
    "GraphMount",
    "GraphPod",
    "GraphPort",
    "GraphProbe",
    "GraphVolume",
    "ImagePull",
    "LoginLink",
    "Object",
    "ProbeResult",
    "RoleGrant",
]
