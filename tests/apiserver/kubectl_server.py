"""The API in a process of its own as kubectl sees it; the fixture `server` makes one per version."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    url: str
    token: str
    folder: Path
    kubectl: str

    def run(self, *arguments: str, cluster: str = "main", stdin: str = "", code: int | None = 0) -> str:
        """Run kubectl; its stdout, or stdout and stderr if another exit code than 0 is expected."""
        done = subprocess.run(
            self.command(*arguments, cluster=cluster),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment(),
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr

    def command(self, *arguments: str, cluster: str = "main") -> list[str]:
        return [self.kubectl, f"--kubeconfig={self.folder / f'kubeconfig-{cluster}'}", *arguments]

    def environment(self) -> dict[str, str]:
        cache = self.folder / f"cache-{Path(self.kubectl).name}"
        return {"PATH": os.environ["PATH"], "HOME": str(cache), "KUBECACHEDIR": str(cache)}
