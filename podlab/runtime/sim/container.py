"""One simulated container: its machine on the cluster's clock, its output, its end. `runtime` owns these.

One timer per running container, at the next moment at which something happens by itself; an idle one has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from podlab.apis import quantity
from podlab.clock import Clock, Timer
from podlab.runtime.errors import StartFailed
from podlab.runtime.interface import ContainerConfig, ContainerState, ContainerStatus, PidNamespace
from podlab.runtime.node_files import NodeFile, from_json
from podlab.runtime.sim import behaviour as behaviours
from podlab.runtime.sim import commands, servers
from podlab.runtime.sim.behaviour import Behaviour
from podlab.runtime.sim.files import Files, Store, Volume
from podlab.runtime.sim.image_files import Rights
from podlab.runtime.sim.machine import KILLED, SECOND, End, Machine, Program, Setting
from podlab.runtime.sim.output import MICRO, Follower, Output
from podlab.runtime.sim.outside import Heard, Outside, Question
from podlab.runtime.sim.shell import Io

START_ERROR = "StartError"
OOM_KILLED = "OOMKilled"
# The default terminationMessagePath; below, the kubelet's limits: it reads the end of a longer file.
TERMINATION_LOG = "/dev/termination-log"
LOG_LINES, LOG_BYTES = 80, 2048  # of the output that may stand in for it
MAX_MESSAGE = 4096
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CANNOT_START = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)

Volumes = dict[str, Store]  # by the host path of a volume's root


@dataclass(frozen=True, slots=True)
class Ended:
    at: datetime
    code: int
    reason: str
    message: str = ""


class SimContainer:
    def __init__(
        self,
        *,
        id: str,
        sandbox_id: str,
        config: ContainerConfig,
        hostname: str,
        image_id: str,
        created_at: datetime,
        clock: Clock,
        seed: int,
        volumes: Volumes,
        on_end: Callable[[SimContainer], None],
        on_volume: Callable[[str, str, NodeFile | None], None],
        ip: str = "",
        network: Callable[[SimContainer, Question], Any] = lambda container, question: None,
        on_heard: Callable[[SimContainer, dict[str, Any]], None] = lambda container, record: None,
    ) -> None:
        self.id = id
        self.sandbox_id = sandbox_id
        self.config = config
        self.image_id = image_id
        self.created_at = created_at
        self.behaviour: Behaviour = behaviours.parse(config.annotations, config.name)
        self.started_at: datetime | None = None
        self.ended: Ended | None = None
        self.machine: Machine | None = None
        self.output = Output()
        self.happened: list[dict[str, Any]] = []  # signals, files and answers from outside, as journalled
        self._ip, self._network, self._on_heard = ip, network, on_heard
        self._heard = Heard()
        self._placed: dict[
            str, tuple[Any, Mapping[str, NodeFile]]
        ] = {}  # the last answer for a volume, and its meaning
        self._hostname = hostname
        self._clock = clock
        self._seed = seed
        self._volumes = volumes
        self._on_end = on_end
        self._on_volume = on_volume
        self._timer: Timer | None = None

    @property
    def running(self) -> bool:
        return self.machine is not None and self.ended is None

    def micros(self) -> int:
        """Since the container's start."""
        assert self.started_at is not None
        return (self._clock.now() - self.started_at) // MICRO

    def start(self, at: datetime) -> None:
        """Raises StartFailed; the container has then ended."""
        machine = self._machine(at, replay=False)
        problem = self._cannot_start(machine)
        if problem:
            self.fail_to_start(Ended(at, 128, START_ERROR, problem))
            raise StartFailed(problem)
        self.started_at = at
        self.machine = machine
        for volume in machine.files.volumes.values():
            volume.prepare()
        machine.boot(self._program(machine))
        self.settle()

    def problem(self, at: datetime) -> str:
        """Why it cannot be started, or ""."""
        return self._cannot_start(self._machine(at, replay=True))

    def fail_to_start(self, ended: Ended) -> None:
        """It has an end and no beginning: containerd gives such a container the zero of its clock as start."""
        self.started_at = EPOCH
        self.ended = ended

    def restore(self, at: datetime, ended: Ended | None) -> None:
        """Bring back a container that was started at `at`, by living its life again up to now or to its end."""
        self.started_at = at
        machine = self._machine(at, replay=True)
        self.machine = machine
        for record in self.happened:
            if "asked" in record:
                self._heard.note(record["micros"], tuple(record["asked"]), record["answer"])
        machine.boot(self._program(machine))
        until = ((ended.at if ended else self._clock.now()) - at) // MICRO
        for record in self.happened:
            machine.advance(min(record["micros"], until))
            self._again(machine, record)
        machine.advance(until)
        machine.outside = Outside(self._ask)
        machine.use(self._files(machine, replay=False))
        if ended is not None:
            self._finish(ended)
        else:
            self.settle()

    def _again(self, machine: Machine, record: dict[str, Any]) -> None:
        if "signal" in record:
            self._deliver(machine, record["signal"])
        elif "memory_limit" in record:
            self._set_limit(machine, record["memory_limit"])
        elif "files" in record:
            for path, file in record["files"].items():
                machine.files.restore(path, from_json(file))

    def _ask(self, question: Question) -> Any:
        """Of the network as it is now."""
        answer = self._network(self, question)
        if self.machine is not None and self._heard.note(self.machine.now, question, answer):
            record = {"micros": self.machine.now, "asked": list(question), "answer": answer}
            self.happened.append(record)
            self._on_heard(self, record)
        return answer

    def _recall(self, question: Question) -> Any:
        return self._heard.recall(self.machine.now, question) if self.machine is not None else None

    def signal(self, name: str) -> None:
        if self.running and self.machine is not None:
            self.machine.advance(self.micros())
            self._deliver(self.machine, name)
            self.settle()

    def limit_memory(self, limit: int) -> None:
        """From now on, in bytes; 0 = without a limit."""
        if self.running and self.machine is not None:
            self.machine.advance(self.micros())
            self._set_limit(self.machine, limit)
            self.settle()

    def _set_limit(self, machine: Machine, limit: int) -> None:
        machine.setting = replace(machine.setting, memory_limit=limit)
        machine.forget_planned(OOM_KILLED)
        self._plan_oom(machine, limit)

    def _plan_oom(self, machine: Machine, limit: int) -> None:
        """The first moment, from the machine's now on, at which the annotated memory is above the limit."""
        course = self.behaviour.memory
        if course is None or not limit or machine.end is not None:
            return
        if machine.now and quantity.value(course.at(machine.now)) > limit:
            machine.plan_end(machine.now, KILLED, OOM_KILLED)
            return
        for start, size in course.starts():
            if start >= machine.now and quantity.value(size) > limit:
                machine.plan_end(start, KILLED, OOM_KILLED)
                return

    def _deliver(self, machine: Machine, name: str) -> None:
        said = self.behaviour
        if name != "TERM" or (not said.ignore_term and said.term_delay is None and said.term_code is None):
            machine.signal(name)
        elif not said.ignore_term:
            delay = said.term_delay if said.term_delay is not None else SECOND // 20
            machine.plan_end(machine.now + delay, said.term_code or 0)

    def settle(self) -> None:
        """After the machine moved: note its end, or set the timer for what comes next."""
        machine = self.machine
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if machine is None or self.ended is not None or self.started_at is None:
            return
        if machine.end is not None:
            end: End = machine.end
            text = machine.files.read(self.config.message_path or TERMINATION_LOG) or ""
            told = text.encode()[-MAX_MESSAGE:].decode("utf-8", "replace")
            self._finish(Ended(self.started_at + end.at * MICRO, end.code, end.reason, told))
            self._on_end(self)
            return
        due = machine.next_at()
        if due is not None:
            self._timer = self._clock.call_at(self.started_at + due * MICRO, self._tick)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        if self.running and self.machine is not None:
            self.machine.advance(self.micros())
            self.settle()

    def _finish(self, ended: Ended) -> None:
        self.ended = ended
        self.close()
        self.output.finish(ended.at)

    def follow(self, follower: Follower, since: datetime | None) -> None:
        for line in list(self.output.lines):
            if (since is None or line.at > since) and not follower.closed:
                follower.on_line(line)
        if self.running:
            self.output.followers.append(follower)
        elif not follower.closed:
            follower.on_end()

    def memory(self) -> int:
        """Bytes in use now."""
        course = self.behaviour.memory
        if course is not None:
            return quantity.value(course.at(self.micros()))
        return (self.machine.memory if self.machine is not None else None) or 2 * 2**20

    def _message(self, ended: Ended) -> str:
        """The kubelet's termination message: a failed run without one may show the end of its output."""
        if ended.message or not ended.code or not self.config.message_from_log:
            return ended.message
        return self.output.tail(LOG_LINES).encode()[-LOG_BYTES:].decode("utf-8", "replace")

    def status(self) -> ContainerStatus:
        if self.ended is not None:
            state = ContainerState.EXITED
        else:
            state = ContainerState.RUNNING if self.running else ContainerState.CREATED
        ended = self.ended
        return ContainerStatus(
            id=self.id,
            pod=self.config.pod,
            name=self.config.name,
            sandbox_id=self.sandbox_id,
            attempt=self.config.attempt,
            state=state,
            image=self.config.image,
            image_id=self.image_id,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=ended.at if ended else None,
            exit_code=ended.code if ended else None,
            reason=ended.reason if ended else "",
            message=self._message(ended) if ended else "",
            hash=self.config.hash,
            grace_seconds=self.config.grace_seconds,
        )

    def _machine(self, at: datetime, *, replay: bool) -> Machine:
        config = self.config
        setting = Setting(
            started=at,
            hostname=self._hostname,
            namespace=config.pod.namespace,
            ip=self._ip,
            env=dict(config.env),
            working_dir=config.working_dir or "/",
            rights=Rights(
                user=config.run_as_user or 0,
                group=config.run_as_group or 0,
                groups=config.groups,
                privileged=config.privileged,
                add=config.add_capabilities,
                drop=config.drop_capabilities,
                no_new_privileges=config.no_new_privileges,
            ),
            read_only_root=config.read_only_rootfs,
            argv=tuple(self._argv()) or (servers.image_name(config.image),),
            memory_limit=config.memory_limit,
            seed=f"{self._seed}/{self.id}",
            declared_ports=config.ports,
            first_process=config.pid_namespace is PidNamespace.CONTAINER,
            input_open=config.stdin,
            applets_only=servers.image_name(config.image) in servers.SMALL_IMAGES,
        )

        def emit(micros: int, stream: str, text: str) -> None:
            self.output.write(at + micros * MICRO, stream, text)

        machine = Machine(setting, Files(), emit)
        machine.outside = Outside(self._recall if replay else self._ask)
        machine.use(self._files(machine, replay=replay))
        self._plan_oom(machine, config.memory_limit)
        return machine

    def _files(self, machine: Machine, *, replay: bool) -> Files:
        """A replay sees the volumes as they are and changes only its copy: what it wrote then is in there already."""
        stores: dict[str, Store] = {}
        volumes: dict[str, Volume] = {}
        for mount in self.config.mounts:
            root = mount.root or mount.host_path
            store = self._volumes.setdefault(root, {})
            volumes[mount.container_path.rstrip("/") or "/"] = Volume(
                stores.setdefault(root, dict(store)) if replay else store,
                lambda root=root: self._look(machine, root),  # type: ignore[misc]
                part=mount.host_path[len(root) :],
                read_only=mount.read_only,
                wrote=None if replay else lambda inner, file, root=root: self._on_volume(root, inner, file),  # type: ignore[misc]
            )
        return Files(volumes, own=machine.files.own, removed=machine.files.removed)

    def _look(self, machine: Machine, root: str) -> Mapping[str, NodeFile]:
        """What the kubelet placed in a volume, as a container sees it now."""
        answer = machine.outside.placed(root)
        known = self._placed.get(root)
        if answer is None:  # nobody has said yet, after a crash, or nothing is there
            return known[1] if known is not None else {}
        if known is None or known[0] is not answer:
            files = {path: from_json(file) for path, file in answer.items()}
            self._placed[root] = known = (answer, {path: file for path, file in files.items() if file is not None})
        return known[1]

    def _argv(self) -> list[str]:
        """What is run by name; empty = what the image does by itself."""
        command, args = self.config.command, self.config.args
        if command:
            return [*command, *(args or ())]
        words = list(args or ())
        if not words or words[0].startswith("-"):
            return []
        own = servers.of_image(self.config.image)
        return [] if own is servers.UNKNOWN else words  # the image's entrypoint takes them as arguments

    def _cannot_start(self, machine: Machine) -> str:
        if self.behaviour.start_error:
            return self.behaviour.start_error
        argv = self._argv()
        if not argv or self.behaviour.scripted or commands.exists(machine, argv[0]):
            return ""
        if "/" in argv[0]:
            return f'{CANNOT_START}exec: "{argv[0]}": stat {argv[0]}: no such file or directory: unknown'
        return f'{CANNOT_START}exec: "{argv[0]}": executable file not found in $PATH: unknown'

    def _program(self, machine: Machine) -> Program:
        if self.behaviour.scripted:
            return behaviours.scripted(machine, self.behaviour, self.config.attempt)
        argv = self._argv()
        if argv:
            io = Io(
                out=lambda text: machine.out("stdout", text),
                err=lambda text: machine.out("stderr", text),
                stdin="",
            )
            return commands.start(machine, argv, io, pid1=True)
        args = self.config.args or ()
        server = servers.with_args(self.config.image, args) or servers.of_image(self.config.image)
        return servers.serve(machine, server, direct=True) if server is not None else _leaves()


def _leaves() -> Program:
    """A shell that finds the end of its input."""
    yield from ()
    return 0
