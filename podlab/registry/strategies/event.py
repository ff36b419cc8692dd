"""Events. PUT may create one, as recorders rely on. Source: pkg/registry/core/event/strategy.go.

Through events.k8s.io stricter rules hold: `strategies.of` gives its requests NewEventStrategy.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.apis.validation import events
from podlab.registry.strategy import Strategy


class EventStrategy(Strategy):
    creates_on_update = True


class NewEventStrategy(EventStrategy):
    def validate(self, obj: Manifest) -> Sequence[FieldError]:
        return list(events.new_style(obj))

    def validate_update(self, new: Manifest, old: Manifest) -> Sequence[FieldError]:
        return list(events.new_style_update(new, old))
