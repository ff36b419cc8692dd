"""Makes a machine able to run every test: packages by apt where we are root on Debian, a Docker engine, test images.

What cannot be had is reported with its reason; the runner turns that into a line of its table (and, in CI, a failure).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "chromium": "chromium",
    "dockerd": "docker.io",
    "busybox": "busybox-static",
    "initdb": "postgresql",
    "docker-registry": "docker-registry",
    "a Chinese font": "fonts-wqy-microhei",  # 5 MB; Noto's would be 90
}
DOCKERD_SECONDS = 60


def missing_tools() -> list[str]:
    """The Debian packages of tools that are not there."""
    found = {
        "chromium": shutil.which("chromium") is not None,
        "dockerd": shutil.which("dockerd") is not None or docker_answers(),
        "busybox": shutil.which("busybox") is not None,
        "initdb": any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        "docker-registry": shutil.which("docker-registry") is not None,
        "a Chinese font": chinese_font(),
    }
    return [PACKAGES[tool] for tool, there in found.items() if not there]


def chinese_font() -> bool:
    """Without one Chromium draws boxes, and what is measured of Chinese pages is not true."""
    fonts = Path("/usr/share/fonts")
    return any(fonts.rglob("*wqy*")) or any(fonts.rglob("*CJK*"))


def install(packages: list[str]) -> str:
    """Install by apt; "" or the reason why not."""
    if not packages:
        return ""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"not root on Debian, so these cannot be installed: {' '.join(packages)}"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            return f"`{' '.join(command[:3])}` failed: {done.stderr.strip()[-300:]}"
    return ""


def docker_answers() -> bool:
    from podlab.ops.docker_probe import docker_answers as answers

    return answers(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))


def start_docker() -> str:
    """Start dockerd if none answers and we may; "" or the reason why there is none."""
    if docker_answers():
        return ""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        return "no Docker engine answers, and none can be started here"
    log = ROOT / "build" / "dockerd.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as out:
        subprocess.Popen(["dockerd"], stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + DOCKERD_SECONDS
    while time.monotonic() < deadline:
        if docker_answers():
            return ""
        time.sleep(0.2)
    return f"dockerd did not answer within {DOCKERD_SECONDS} s; see build/dockerd.log"


def build_images() -> str:
    """The test images; "" or why not."""
    script = next(iter(sorted((ROOT / "tests" / "images").glob("build.*"))), None)
    if script is None:
        return "tests/images holds no build script"
    done = subprocess.run([str(script)], capture_output=True, text=True, timeout=300)
    return "" if done.returncode == 0 else f"{script.name} failed: {(done.stdout + done.stderr).strip()[-300:]}"


def prepare() -> dict[str, str]:
    """Requirement → "" (there) or the reason why it is missing."""
    trouble = install(missing_tools())
    docker = start_docker() or build_images()
    return {
        "docker": docker or ("" if shutil.which("docker-registry") else (trouble or "no docker-registry on PATH")),
        "kubectl": "" if shutil.which("kubectl") else "no kubectl on PATH",
        "browser": "" if shutil.which("chromium") else (trouble or "no chromium on PATH"),
        "postgres": ""
        if any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        else (trouble or "no PostgreSQL server installed"),
        "node": "" if shutil.which("node") else "no node on PATH",
    }
