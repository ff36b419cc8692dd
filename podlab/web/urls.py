"""Where everything is. The list of places is the design's; a path never changes its meaning."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from django.views.i18n import set_language

from podlab.web.views import (
    account,
    authoring,
    editing,
    forks,
    graphs,
    node_actions,
    objects,
    places,
    pods,
    runs,
    spaces,
)

# A label or a subdomain of Kubernetes; whether the thing exists is for the view.
_CLUSTER = r"(?P<cluster>[a-z0-9][a-z0-9-]{0,62})"
NS = _CLUSTER + r"/ns/(?P<namespace>[a-z0-9][a-z0-9-]{0,62})"
_KIND = r"(?P<resource>[a-z][a-z0-9.-]{0,252})"
_NAME = r"(?P<name>[^/]{1,253})"  # roles may be called anything that is one segment of a path
POD = NS + r"/pods/(?P<name>[a-z0-9][a-z0-9.-]{0,252})"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", places.home, name="home"),
    path("login", account.enter, name="login"),
    path("login/<str:token>", account.by_link, name="login-link"),
    path("language", set_language, name="language"),
    path("theme", account.theme, name="theme"),
    path("logout", account.leave, name="logout"),
    path("settings", account.settings, name="settings"),
    path("help", account.help_page, name="help"),
    path("schema", authoring.schema_fields, name="schema"),
    path("clusters", places.cluster_list, name="clusters"),
    path("runs", runs.run_list, name="runs"),
    re_path(rf"^c/{_CLUSTER}/$", places.overview, name="overview"),
    re_path(rf"^c/{_CLUSTER}/clock$", places.clock_page, name="clock"),
    re_path(rf"^c/{_CLUSTER}/delete$", places.cluster_delete, name="cluster-delete"),
    re_path(rf"^c/{_CLUSTER}/fork$", forks.fork, name="fork"),
    re_path(rf"^c/{NS}/pods$", pods.pod_list, name="pods"),
    re_path(rf"^c/{NS}/timeline$", spaces.timeline, name="space"),
    re_path(rf"^c/{NS}/run$", runs.export, name="run-file"),
    re_path(rf"^c/{NS}/graph$", graphs.graph_page, name="graph"),
    re_path(rf"^c/{NS}/new$", authoring.new, name="new"),
    re_path(rf"^c/{NS}/check$", authoring.check, name="check"),
    re_path(rf"^c/{NS}/compose$", authoring.composition, name="compose"),
    re_path(rf"^c/{POD}$", pods.pod, name="pod"),
    re_path(rf"^c/{POD}/delete$", pods.pod_delete, name="pod-delete"),
    re_path(rf"^c/{POD}/log$", pods.pod_log_file, name="pod-log"),
    re_path(rf"^c/{POD}/debug$", pods.pod_debug, name="pod-debug"),
    re_path(rf"^c/{NS}/{_KIND}$", objects.listing, name="objects"),
    re_path(rf"^c/{NS}/{_KIND}/{_NAME}$", objects.one, name="object"),
    re_path(rf"^c/{NS}/{_KIND}/{_NAME}/edit$", editing.edit, name="edit"),
    re_path(rf"^c/{_CLUSTER}/{_KIND}$", objects.listing, name="cluster-objects"),
    re_path(rf"^c/{_CLUSTER}/{_KIND}/{_NAME}$", objects.one, name="cluster-object"),
    re_path(rf"^c/{_CLUSTER}/nodes/{_NAME}/do$", node_actions.act, name="node-do"),
    re_path(rf"^c/{_CLUSTER}/{_KIND}/{_NAME}/edit$", editing.edit, name="cluster-edit"),
]
