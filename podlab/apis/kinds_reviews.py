"""Kinds that are answered and never stored: questions about identity and rights. `apis.scheme` joins the tables.

`registry.reviews` answers them. See kinds_core.py for the source of names and verbs.
"""

from __future__ import annotations

from podlab.apis.resource import Resource, kind

_CREATED = ("create",)

TOKEN_REQUESTS = kind("authentication.k8s.io/v1", "TokenRequest", "tokenrequests", verbs=())  # below a service account
REVIEWS: tuple[Resource, ...] = (
    kind("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False, verbs=_CREATED),
    kind("authentication.k8s.io/v1", "TokenReview", "tokenreviews", namespaced=False, verbs=_CREATED),
    kind("authorization.k8s.io/v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=_CREATED),
    kind(
        "authorization.k8s.io/v1",
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        namespaced=False,
        verbs=_CREATED,
    ),
    kind(
        "authorization.k8s.io/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False, verbs=_CREATED
    ),
    kind("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False, verbs=_CREATED),
)
