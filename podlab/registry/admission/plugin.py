"""What an admission plugin is given and what it may do. The plugins are gathered in `admission.chain`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.nearby import Held

if TYPE_CHECKING:
    from podlab.registry.operations import Context

CREATE = "CREATE"
UPDATE = "UPDATE"
DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Request:
    """`old` is the stored object of an update or a deletion. What is put into `warnings` goes out with the answer."""

    ctx: Context
    operation: str
    obj: Manifest
    old: Manifest | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def resource(self) -> str:
        return self.ctx.resource.key

    @property
    def name(self) -> str:
        """As refusals name the object: by generateName while it has no name (admission/errors.go)."""
        meta = metadata.of(self.obj)
        return self.ctx.name or str(meta.get("name") or meta.get("generateName") or "Unknown")

    def is_for(self, resource: str, *operations: str, subresource: str = "") -> bool:
        return (
            self.resource == resource
            and self.ctx.subresource == subresource
            and (not operations or self.operation in operations)
        )

    def refusal(self, text: str) -> status_errors.ApiError:
        """admission.NewForbidden."""
        return status_errors.forbidden(self.ctx.resource, self.name, text)


class Plugin:
    def admit(self, request: Request) -> None:
        """Change `request.obj` in place, or raise."""

    def check(self, request: Request) -> None:
        """Refuse the finished object by raising."""

    def commit(self, request: Request, held: Held) -> None:
        """The last word, and the place to book what the object uses: part of the write's transaction, under its lock, so
        that nothing else happens between this and the object being stored. A dry run asks without the lock."""
