"""The kinds of apps/v1 and batch/v1, and the forms in which clients speak to subresources. See kinds_core.py.

`apis.scheme` joins the tables.
"""

from __future__ import annotations

from podlab.apis.resource import SCALE, STATUS, Resource, kind

_ALL = ("all",)

CONTROLLERREVISIONS = kind("apps/v1", "ControllerRevision", "controllerrevisions")
DAEMONSETS = kind("apps/v1", "DaemonSet", "daemonsets", "ds", categories=_ALL, below=(STATUS,), attended=False)
DEPLOYMENTS = kind(
    "apps/v1", "Deployment", "deployments", "deploy", categories=_ALL, below=(SCALE, STATUS), attended=False
)
REPLICASETS = kind("apps/v1", "ReplicaSet", "replicasets", "rs", categories=_ALL, below=(SCALE, STATUS), attended=False)
STATEFULSETS = kind(
    "apps/v1", "StatefulSet", "statefulsets", "sts", categories=_ALL, below=(SCALE, STATUS), attended=False
)
CRONJOBS = kind("batch/v1", "CronJob", "cronjobs", "cj", categories=_ALL, below=(STATUS,), attended=False)
JOBS = kind("batch/v1", "Job", "jobs", categories=_ALL, below=(STATUS,), attended=False)

# In the order of discovery.
APPS: tuple[Resource, ...] = (CONTROLLERREVISIONS, DAEMONSETS, DEPLOYMENTS, REPLICASETS, STATEFULSETS)
BATCH: tuple[Resource, ...] = (CRONJOBS, JOBS)

# Nowhere stored and at no path of their own: the bodies of .../scale and pods/.../eviction.
SCALES = kind("autoscaling/v1", "Scale", "scales", verbs=())
EVICTIONS = kind("policy/v1", "Eviction", "evictions", verbs=())
