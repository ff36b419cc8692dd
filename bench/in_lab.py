"""Runs a function of `bench.inside` in a process that shares a lab's data: `python -m bench.in_lab NAME ARGUMENT`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.whole_lab import ROOT, Lab


def run(lab: Lab, name: str, argument: int) -> Any:
    """The JSON that the function returned."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.in_lab", name, str(argument)],
        cwd=ROOT,
        env=lab.environment,
        text=True,
        capture_output=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
    import django

    django.setup()
    from bench import inside

    print(json.dumps(getattr(inside, sys.argv[1])(int(sys.argv[2]))))
