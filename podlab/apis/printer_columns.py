"""What the tables of columns are written in, and the cells that many kinds share. printers.py joins the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from podlab.apis import times
from podlab.apis.types import Manifest

Cell = str | int | bool
NONE = "<none>"
UNKNOWN = "<unknown>"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
CORE = "io.k8s.api.core.v1."


@dataclass(frozen=True, slots=True)
class Column:
    """`priority` 0 is always shown, 1 only in wide output."""

    name: str
    description: str
    format: str = ""
    priority: int = 0
    type: str = "string"

    def to_json(self) -> Manifest:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Told:
    """A column whose description is a sentence, or that of a field as "Definition/field"."""

    name: str
    about: str
    format: str = ""
    wide: bool = False
    type: str = "string"


NAME = Told("Name", f"{META}/name", "name")
AGE = Told("Age", f"{META}/creationTimestamp")


def metadata(obj: Manifest) -> Manifest:
    return obj.get("metadata") or {}


def name(obj: Manifest) -> str:
    return str(metadata(obj).get("name", ""))


def age(obj: Manifest, now: datetime) -> str:
    return times.age(metadata(obj).get("creationTimestamp"), now)


def containers(template: Manifest | None) -> list[Cell]:
    """Names and images of a pod template's containers, as two cells."""
    found = ((template or {}).get("spec") or {}).get("containers") or []
    return [",".join(str(item.get(field) or "") for item in found) for field in ("name", "image")]


def labels(values: Manifest | None) -> str:
    """A map of labels as "a=b,c=d"."""
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or NONE


CONTAINERS = Told("Containers", "Names of each container in the template.", wide=True)
IMAGES = Told("Images", "Images referenced by each container in the template.", wide=True)
