"""Events. PUT may create one, as recorders rely on. Source: pkg/registry/core/event/strategy.go.

Through events.k8s.io stricter rules hold: `strategies.of` gives its requests NewEventStrategy.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import names
from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.apis.validation import events, metadata
from podlab.registry.strategy import Strategy


class EventStrategy(Strategy):
    creates_on_update = True


class NewEventStrategy(EventStrategy):
    def validate(self, obj: Manifest) -> Sequence[FieldError]:
        kept = metadata.validate(obj.get("metadata") or {}, namespaced=True, name_rule=names.dns_subdomain)
        return [*events.new_style(obj), *kept]

    def validate_update(self, new: Manifest, old: Manifest) -> Sequence[FieldError]:
        kept = metadata.validate_update(new.get("metadata") or {}, old.get("metadata") or {})
        return [*events.new_style_update(new, old), *kept]
