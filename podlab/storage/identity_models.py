"""Who may do what: bearer tokens, roles, one-time login links. Read and written by `registry.identity`."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class RoleGrant(models.Model):
    """`role` in a cluster ("*" = all) and a namespace ("*" = all, cluster-scoped objects included)."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        INSTRUCTOR = "instructor"
        STUDENT = "student"
        VIEWER = "viewer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=12, choices=Role)
    cluster = models.CharField(max_length=63, default="*")
    namespace = models.CharField(max_length=63, default="*")


class AccountGrant(models.Model):
    """`role` for the service account `account` in `account_namespace`, in a namespace ("*" = all) of its cluster."""

    cluster = models.CharField(max_length=63)
    account_namespace = models.CharField(max_length=63)
    account = models.CharField(max_length=253)
    role = models.CharField(max_length=12, choices=RoleGrant.Role)
    namespace = models.CharField(max_length=63, default="*")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "account_namespace", "account", "role", "namespace"], name="account_grant"
            ),
        ]


class ApiToken(models.Model):
    """Only the SHA-256 of the token is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)


class LoginLink(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
