"""One running container as a value: processes, files, ports, memory, moving with time only when told to.

`Machine` is deterministic: the same program, start and signals give the same output and the same end. It knows no
clock; times are microseconds since the container's start. `runtime` advances it from timers, and replays it from its
journal after a crash. Programs are generators that yield a `Wait` and are resumed when it is over; `shell`, `servers` and
`behaviour` write them.

PID 1 follows the kernel's rule: a signal for which it has no handler does nothing, except KILL from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from podlab.runtime.node_files import folder
from podlab.runtime.sim.files import Files, Owner
from podlab.runtime.sim.image_files import ImageFiles, Rights
from podlab.runtime.sim.outside import Outside, nowhere

SECOND = 1_000_000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KILLED = 137
_DEADLY = {"HUP": 1, "INT": 2, "QUIT": 3, "USR1": 10, "USR2": 12, "TERM": 15}


@dataclass(frozen=True, slots=True)
class Wait:
    """`micros` None = until a signal. `jobs`: until all background processes ended. `interruptible`: a handled signal
    ends the wait early and is its result."""

    micros: int | None = None
    jobs: bool = False
    interruptible: bool = False


Program = Generator[Wait, str | None, int]

# (micros since the container's start, path) -> (HTTP status, body)
Site = Callable[[int, str], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class End:
    at: int
    code: int
    reason: str  # Completed | Error | OOMKilled


@dataclass(slots=True)
class Process:
    program: Program
    on_end: Callable[[int], None] | None = None
    wait: Wait = field(default_factory=Wait)
    wake: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a program may know about where it runs."""

    started: datetime
    hostname: str = "localhost"
    namespace: str = "default"
    ip: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = "/"
    rights: Rights = field(default_factory=Rights)
    read_only_root: bool = False
    argv: tuple[str, ...] = ()  # of the main process
    memory_limit: int = 0
    seed: str = ""
    declared_ports: tuple[int, ...] = ()
    first_process: bool = True  # of its namespace: the kernel keeps signals from it that it has no handler for
    input_open: bool = False  # `stdin: true`: the main process is never told that its input ends
    applets_only: bool = False  # a busybox-like image: commands that the simulator does not know do not exist

    @property
    def user(self) -> int:
        return self.rights.user

    def environment(self) -> dict[str, str]:
        """What a process of the container starts with."""
        home = "/root" if self.user == 0 else "/"
        return {"PATH": PATH, "HOSTNAME": self.hostname, **self.env, "HOME": self.env.get("HOME", home)}


class Machine:
    def __init__(self, setting: Setting, files: Files, emit: Callable[[int, str, str], None]) -> None:
        """`emit(micros, stream, text)` gets whatever PID 1 and its children write to stdout and stderr."""
        self.setting = setting
        self.now = 0
        self.argv: Sequence[str] = setting.argv  # of the main process now
        self.outside = Outside(nowhere)
        self.files = files
        self.use(files)
        self.end: End | None = None
        self.ports: dict[int, Site | None] = {}  # None: open, but no HTTP behind it
        self.handled: set[str] = set()  # signals that PID 1 has a handler for
        self.memory: int | None = None  # bytes, as far as the program says
        self.pending: list[str] = []  # handled signals that PID 1 has not looked at yet
        self._emit = emit
        self._processes: list[Process] = []
        self._main: Process | None = None
        self._kills: list[tuple[int, int, str]] = []  # planned ends: (at, code, reason)

    def use(self, files: Files) -> None:
        """These are its files from now on, on top of what its image has."""
        setting, rights = self.setting, self.setting.rights
        image = ImageFiles(
            hostname=setting.hostname,
            rights=rights,
            env=setting.environment,
            processes=self.processes,
            mounts=lambda: {path: volume.kind() for path, volume in files.volumes.items()},
        )
        files.image, files.image_names = image.at, image.names
        files.owner = Owner(rights.user, rights.group, frozenset(rights.groups))
        files.strict, files.read_only = setting.applets_only, setting.read_only_root
        files.now = lambda: self.wall().timestamp()
        self.files = files
        work = setting.working_dir
        if files.mount_of(work) is None and files.find(work) is None:
            files.own[work] = folder()  # the runtime makes it

    def processes(self) -> dict[int, Sequence[str]]:
        """What is seen below /proc, by number: the main process, and those of other containers whose namespace it is in."""
        if self.setting.first_process:
            return {1: self.argv}
        return {1 + 6 * index: words for index, words in enumerate(self.outside.processes() or [self.argv])}

    def out(self, stream: str, text: str) -> None:
        self._emit(self.now, stream, text)

    def wall(self) -> datetime:
        return self.setting.started + timedelta(microseconds=self.now)

    def boot(self, program: Program) -> None:
        """Start PID 1."""
        self._main = Process(program, wake=self.now)
        self._processes.append(self._main)
        self.advance(self.now)

    def spawn(self, program: Program, on_end: Callable[[int], None] | None = None) -> Process:
        """Another process: a background job, or one that exec started. It runs when time is advanced next."""
        process = Process(program, on_end, wake=self.now)
        self._processes.append(process)
        return process

    def stop(self, process: Process) -> None:
        """End a process without asking it (a timed-out exec)."""
        if process in self._processes:
            self._processes.remove(process)
            process.program.close()

    def plan_end(self, at: int, code: int, reason: str = "") -> None:
        """The container ends at `at` whatever its program does, unless it ended before."""
        self._kills.append((at, code, reason))
        self._kills.sort()

    def forget_planned(self, reason: str) -> None:
        """What would have ended the container for this reason does not any more."""
        self._kills = [kill for kill in self._kills if kill[2] != reason]

    def next_at(self) -> int | None:
        """When something happens next by itself; None = never."""
        if self.end is not None:
            return None
        times = [process.wake for process in self._processes if process.wake is not None]
        times += [self._kills[0][0]] if self._kills else []
        return min(times, default=None)

    def advance(self, until: int) -> None:
        """Let everything happen that is due up to `until`, in order."""
        while self.end is None:
            due = self.next_at()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            if self._kills and self._kills[0][0] <= self.now:
                _, code, reason = self._kills[0]
                self._finish(code, reason)
                return
            process = min(
                (one for one in self._processes if one.wake is not None and one.wake <= self.now),
                key=lambda one: one.wake or 0,
            )
            self._resume(process, None)
        if self.end is None:
            self.now = max(self.now, until)

    def signal(self, name: str, *, outside: bool = True) -> None:
        """Deliver a signal to PID 1 now."""
        if self.end is not None:
            return
        if name in {"KILL", "STOP"}:
            if outside and name == "KILL":
                self._finish(KILLED, "Error")
            return
        if name not in self.handled:
            if not self.setting.first_process and name in _DEADLY:
                self._finish(128 + _DEADLY[name], "Error")
            return
        self.pending.append(name)
        if self._main is not None and self._main.wait.interruptible:
            self._main.wake = self.now
            self.advance(self.now)

    def oom(self) -> None:
        self._finish(KILLED, "OOMKilled")

    def use_memory(self, size: int) -> bool:
        """A program takes memory; False = that killed the container."""
        self.memory = size
        if self.setting.memory_limit and size > self.setting.memory_limit:
            self.oom()
            return False
        return True

    def _resume(self, process: Process, value: str | None) -> None:
        process.wake = None
        if process is self._main and process.wait.interruptible and self.pending:
            value = self.pending.pop(0)
        process.wait = Wait()
        try:
            wait = process.program.send(value)
        except StopIteration as stop:
            self._ended(process, int(stop.value or 0))
            return
        if self.end is not None:
            return
        process.wait = wait
        if wait.jobs:
            self._wake_waiter(process)
        elif wait.micros is not None:
            process.wake = self.now + max(wait.micros, 0)
        if process is self._main and wait.interruptible and self.pending:
            process.wake = self.now

    def _wake_waiter(self, process: Process) -> None:
        others = [one for one in self._processes if one is not process and one.on_end is None]
        if not others or (self.pending and process.wait.interruptible):
            process.wake = self.now

    def _ended(self, process: Process, code: int) -> None:
        self._processes.remove(process)
        if process is self._main:
            self._finish(code, "")
            return
        if process.on_end is not None:
            process.on_end(code)
        for other in self._processes:
            if other.wait.jobs:
                self._wake_waiter(other)

    def _finish(self, code: int, reason: str) -> None:
        if self.end is not None:
            return
        self.end = End(self.now, code & 0xFF, reason or ("Completed" if code & 0xFF == 0 else "Error"))
        self.ports.clear()
        rest, self._processes = self._processes, []
        for process in rest:
            if process.on_end is not None:
                process.on_end(KILLED)
