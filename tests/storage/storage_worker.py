"""A process of the lab under test: reads one order per line, answers one line. Started by test_property_processes."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
django.setup()

from storage_traffic import watch, write  # noqa: E402

from podlab.storage.hub import Hub  # noqa: E402


def obey(hub: Hub, order: dict[str, Any]) -> object:
    if order["do"] == "write":
        return write(order["cluster"], order["plan"], order["writer"])
    return watch(hub, order["cluster"], order["since"], order["every"])


def main() -> None:
    hub = Hub(poll=0.05)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(hub, json.loads(line))), flush=True)
    hub.close()


if __name__ == "__main__":
    main()
