"""The kinds that have a list and a page of their own, for the bar above every list."""

from __future__ import annotations

from podlab.apis import scheme
from podlab.apis.scheme import Resource
from podlab.web.place import Place

# In the order of the bar. Others are served too, for whoever writes their name into the address.
NAMESPACED = (
    *("pods", "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"),
    *("cronjobs.batch", "services", "configmaps", "secrets", "persistentvolumeclaims", "serviceaccounts", "events"),
)
CLUSTER = ("nodes", "namespaces")


def bar(place: Place) -> list[Resource]:
    """What the person may list here."""
    keys = NAMESPACED if place.namespace else CLUSTER
    found = (scheme.by_key(key) for key in keys)
    return [one for one in found if one is not None and "list" in one.verbs and place.may("list", one.key)]
