"""Events. PUT may create one, as recorders rely on. Source: pkg/registry/core/event/strategy.go."""

from __future__ import annotations

from podlab.registry.strategy import Strategy


class EventStrategy(Strategy):
    creates_on_update = True
