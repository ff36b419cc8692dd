"""The commands that scripts and probes use, as far as they can be answered without an operating system.

`run` starts one by its argv. What is not known here is either a server (`servers`), does not exist (busybox-like
images: "not found", 127), or is taken for a program that runs until it is stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.runtime.sim import file_commands, network_commands, servers, text_commands
from podlab.runtime.sim.machine import SECOND, Machine, Program, Wait
from podlab.runtime.sim.shell import Exit, Io, LoopControl, Shell, signal_name
from podlab.runtime.sim.shell_syntax import Unsupported, parse

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
BIN = frozenset({"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin"})
MAX_SLEEP = 100 * 365 * 86400
# busybox has more applets than the simulator knows; these exist and are not simulated.
OTHER_APPLETS = frozenset(
    [
        "awk",
        "sed",
        "xargs",
        "find",
        "watch",
        "top",
        "ps",
        "vi",
        "less",
        "more",
        "tar",
        "gzip",
        "gunzip",
        "unzip",
        "free",
        "df",
        "du",
        "mount",
        "umount",
        "ifconfig",
        "ip",
        "route",
        "netstat",
        "ss",
        "telnet",
        "ftpget",
        "ftpput",
        "nproc",
        "stat",
        "md5sum",
        "sha256sum",
        "base64",
        "od",
        "hexdump",
        "timeout",
        "nohup",
        "time",
        "expr",
        "bc",
        "dc",
        "diff",
        "patch",
        "su",
        "chroot",
        "dmesg",
        "readlink",
        "realpath",
        "basename",
        "dirname",
        "mktemp",
        "mkfifo",
        "tty",
        "stty",
        "logger",
        "crond",
        "syslogd",
        "adduser",
        "addgroup",
    ]
)

Handler = Callable[[Shell, list[str]], "int | Program"]


def base_name(word: str) -> str:
    """The command's name if `word` can only mean one of the system's own."""
    folder, _, name = word.rpartition("/")
    return name if not folder or folder in BIN else ""


def run(shell: Shell, argv: list[str], *, direct: bool = False, lenient: bool = False) -> Program:
    """`direct`: the command is PID 1 itself. `lenient` (probes, hooks): unknown commands succeed at once."""
    name = base_name(argv[0])
    if name == "exec" and len(argv) > 1:
        code = yield from run(shell, argv[1:], direct=shell.pid1, lenient=lenient)
        raise Exit(code)
    if name in SHELLS:
        return (yield from _shell(shell, argv, direct=direct, lenient=lenient))
    handler = COMMANDS.get(name)
    if handler is not None:
        result = handler(shell, argv)
        return result if isinstance(result, int) else (yield from result)
    if name == "nginx" and "-s" in argv:
        shell.machine.signal("TERM", outside=False)
        return 0
    server = servers.of_command(argv)
    if server is not None and name == "httpd" and "-f" not in argv:
        # It puts itself into the background, and no `wait` waits for it.
        shell.machine.spawn(servers.serve(shell.machine, server, direct=False), lambda code: None)
        return 0
    if server is not None:
        return (yield from servers.serve(shell.machine, server, direct=direct))
    if lenient:
        return 0
    if not exists(shell.machine, argv[0]):
        shell.io.err(f"sh: {argv[0]}: not found\n")
        return 127
    return (yield from servers.serve(shell.machine, servers.UNKNOWN, direct=direct))


def exists(machine: Machine, word: str) -> bool:
    """Whether there is such a program in the image, as far as one can tell."""
    if machine.files.read(word) is not None or not machine.setting.applets_only:
        return True
    name = base_name(word)
    known = name in COMMANDS or name in SHELLS or name in OTHER_APPLETS
    return known or servers.is_applet(name)


def start(machine: Machine, argv: list[str], io: Io, *, pid1: bool, lenient: bool = False) -> Program:
    """The program of an argv: a container's main process, or one that exec starts beside it."""

    def run_command(shell: Shell, words: list[str]) -> Program:
        return run(shell, words, lenient=lenient)

    shell = Shell(machine, io, run_command, folder=machine.setting.working_dir or "/")
    shell.variables = {"HOSTNAME": machine.setting.hostname, "HOME": "/root", **machine.setting.env}
    shell.pid1 = pid1
    try:
        return (yield from run(shell, argv, direct=pid1, lenient=lenient))
    except Exit as leave:
        return leave.code
    except LoopControl:
        return 0
    except Unsupported:
        if lenient:
            return 0
        return (yield from servers.block())


def _shell(shell: Shell, argv: list[str], *, direct: bool, lenient: bool) -> Program:
    inner = Shell(
        shell.machine,
        shell.io,
        shell.run_command,
        pid1=direct,
        variables=dict(shell.variables),
        folder=shell.folder,
    )
    arguments = argv[1:]
    flags = ""
    while arguments and arguments[0][:1] in "-+" and len(arguments[0]) > 1:
        flags += arguments.pop(0)[1:]
    inner.errexit = "e" in flags
    if "c" not in flags:
        if not arguments and direct and shell.machine.setting.input_open:
            return (yield from servers.block())  # it waits for what nobody types here; a terminal is entered beside it
        if not arguments:  # an interactive shell reads the end of its input at once
            return (yield from inner.script(shell.io.stdin or ""))
        source = shell.machine.files.read(shell.path(arguments[0]))
        if source is None:
            shell.io.err(f"{argv[0]}: can't open '{arguments[0]}': No such file or directory\n")
            return 2
        return (yield from inner.script(source))
    if not arguments:
        shell.io.err(f"{argv[0]}: -c requires an argument\n")
        return 2
    if only := _only_command(arguments[0]):
        return (yield from run(inner, only, direct=direct, lenient=lenient))
    return (yield from inner.script(arguments[0]))


def _only_command(script: str) -> list[str] | None:
    """`sh -c 'sleep 60'`: the shell replaces itself with its only command."""
    tree = parse(script)
    if len(tree.items) != 1 or tree.items[0].rest or tree.items[0].background:
        return None
    pipeline = tree.items[0].first
    if pipeline.negated or len(pipeline.commands) != 1 or pipeline.commands[0].redirects:
        return None
    node = pipeline.commands[0].node
    words = getattr(node, "words", ())
    if getattr(node, "assigns", True) or not words:
        return None
    plain = ["".join(piece.text for piece in word) for word in words]
    if any(piece.kind != "text" for word in words for piece in word) or base_name(plain[0]) in BUILTINS:
        return None
    return plain


def seconds(word: str) -> float | None:
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", word)
    if match is None:
        return float(MAX_SLEEP) if word in {"infinity", "inf"} else None
    return min(float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]], MAX_SLEEP)


def _sleep(shell: Shell, argv: list[str]) -> Program:
    spans = [seconds(word) for word in argv[1:]]
    bad = next((word for word, span in zip(argv[1:], spans, strict=True) if span is None), None)
    if bad is not None or not spans:
        shell.io.err(f"sleep: invalid number '{bad}'\n" if bad is not None else "sleep: missing operand\n")
        return 1
    yield Wait(micros=round(sum(span or 0 for span in spans) * SECOND))
    return 0


def _wait(shell: Shell, argv: list[str]) -> Program:
    signal = yield Wait(jobs=True, interruptible=shell.pid1)
    if signal is None:
        return 0
    yield from shell.trapped(signal)
    return 128 + 15


def _trap(shell: Shell, argv: list[str]) -> int:
    if len(argv) < 3:
        return 0
    body, names = argv[1], [signal_name(word) for word in argv[2:]]
    for name in names:
        name = "EXIT" if name in {"0", "EXIT"} else name
        shell.traps.pop(name, None)
        if shell.pid1:
            shell.machine.handled.discard(name)
        if body not in {"", "-"}:
            shell.traps[name] = body
            if shell.pid1 and name != "EXIT":
                shell.machine.handled.add(name)
    return 0


def _kill(shell: Shell, argv: list[str]) -> int:
    name, targets = "TERM", argv[1:]
    if targets[:1] == ["-s"]:
        name, targets = signal_name(targets[1]), targets[2:]
    elif targets and targets[0].startswith("-"):
        name, targets = signal_name(targets[0][1:]), targets[1:]
    for target in targets:
        if target != "1":
            shell.io.err(f"sh: can't kill pid {target}: No such process\n")
            return 1
        if name != "0":
            shell.machine.signal(name, outside=False)
    return 0


def _exit(shell: Shell, argv: list[str]) -> int:
    raise Exit(int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else shell.last)


def _break(shell: Shell, argv: list[str]) -> int:
    raise LoopControl(again=argv[0] == "continue")


def _export(shell: Shell, argv: list[str]) -> int:
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if equals:
            shell.variables[name] = value
    return 0


def _unset(shell: Shell, argv: list[str]) -> int:
    for name in argv[1:]:
        shell.variables.pop(name, None)
    return 0


def _set(shell: Shell, argv: list[str]) -> int:
    for word in argv[1:]:
        if word[:1] in {"-", "+"} and "e" in word:
            shell.errexit = word[0] == "-"
    return 0


def _cd(shell: Shell, argv: list[str]) -> int:
    shell.folder = shell.path(argv[1] if len(argv) > 1 else "/root")
    return 0


def _nothing(shell: Shell, argv: list[str]) -> int:
    return 0


def _fails(shell: Shell, argv: list[str]) -> int:
    return 1


def _stress(shell: Shell, argv: list[str]) -> Program:
    """polinux/stress, the memory example of the Kubernetes documentation."""
    size = "256M"
    for index, word in enumerate(argv):
        if word == "--vm-bytes" and index + 1 < len(argv):
            size = argv[index + 1]
    shell.io.out("stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n")
    yield Wait(micros=SECOND // 2)
    match = re.fullmatch(r"(\d+)([kKmMgG]?)", size)
    factor = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[match[2].lower()] if match else 1
    shell.machine.use_memory(int(match[1]) * factor if match else 0)
    return (yield from servers.block())


BUILTINS: dict[str, Handler] = {
    ":": _nothing,
    "break": _break,
    "cd": _cd,
    "continue": _break,
    "exit": _exit,
    "export": _export,
    "return": _exit,
    "set": _set,
    "trap": _trap,
    "unset": _unset,
    "wait": _wait,
    "kill": _kill,
    "true": _nothing,
    "false": _fails,
    "umask": _nothing,
}

COMMANDS: dict[str, Handler] = {
    **BUILTINS,
    **text_commands.COMMANDS,
    **file_commands.COMMANDS,
    **network_commands.COMMANDS,
    "sleep": _sleep,
    "sync": _nothing,
    "chmod": _nothing,
    "chown": _nothing,
    "ln": _nothing,
    "stress": _stress,
}
