"""Secrets. stringData became data in `apis.defaults`. Source: pkg/registry/core/secret/strategy.go."""

from __future__ import annotations

from podlab.registry.strategy import Strategy


class SecretStrategy(Strategy):
    pass
