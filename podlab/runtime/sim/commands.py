"""The commands that scripts and probes use, as far as they can be answered without an operating system.

`run` starts one by its argv. What is not known here is either a server (`servers`), does not exist (busybox-like
images: "not found", 127), or is taken for a program that runs until it is stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from podlab.runtime.sim import (
    awk_command,
    builtin_commands,
    file_commands,
    filter_commands,
    look_commands,
    network_commands,
    script_servers,
    servers,
    system_commands,
    text_commands,
)
from podlab.runtime.sim.inputs import options
from podlab.runtime.sim.machine import SECOND, Machine, Program, Wait
from podlab.runtime.sim.shell import Exit, Io, LoopControl, Return, Shell
from podlab.runtime.sim.shell_syntax import Unsupported, parse

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
BIN = frozenset({"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin"})
MAX_DEPTH = 20  # of shells in shells
MAX_SLEEP = 100 * 365 * 86400
# busybox has more applets than the simulator knows; these exist and are not simulated.
OTHER_APPLETS = frozenset(
    [
        "watch",
        "top",
        "vi",
        "less",
        "more",
        "tar",
        "gzip",
        "gunzip",
        "unzip",
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
        "od",
        "hexdump",
        "expr",
        "bc",
        "dc",
        "diff",
        "patch",
        "su",
        "chroot",
        "dmesg",
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
    if direct and name != "exec":
        shell.machine.argv = tuple(argv)
    if name == "exec" and len(argv) > 1:
        code = yield from run(shell, argv[1:], direct=shell.pid1, lenient=lenient)
        raise Exit(code)
    if name in SHELLS:
        return (yield from _shell(shell, argv, direct=direct, lenient=lenient))
    handler = COMMANDS.get(name)
    if handler is not None:
        try:
            result = handler(shell, argv)
            return result if isinstance(result, int) else (yield from result)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise Unsupported(f"{name}: {error}") from None  # options that it was not made for
    if name == "nginx" and "-s" in argv:
        shell.machine.signal("TERM", outside=False)
        return 0
    script = _script_at(shell, argv[0])
    if script is not None:
        return (yield from _shell(shell, ["sh", script, *argv[1:]], direct=direct, lenient=lenient))
    server = servers.of_command(argv)
    if server is not None:
        machine = shell.machine
        files = servers.files_in(machine, server.root) if server.root else None
        site = script_servers.cgi(shell, server.root, files) if files is not None else None
        if name == "httpd" and "-f" not in argv:
            # It puts itself into the background, and no `wait` waits for it.
            machine.spawn(servers.serve(machine, server, direct=False, site=site), lambda code: None)
            return 0
        return (yield from servers.serve(machine, server, direct=direct, site=site))
    if lenient:
        return 0
    if not exists(shell.machine, argv[0]):
        shell.io.err(f"sh: {argv[0]}: not found\n")
        return 127
    return (yield from servers.serve(shell.machine, servers.UNKNOWN, direct=direct))


def _script_at(shell: Shell, word: str) -> str | None:
    """The path of a file that is a shell script and may be run."""
    path = shell.path(word)
    if "/" not in word or (text := shell.machine.files.read(path)) is None or not shell.machine.files.may(path, "x"):
        return None
    first = text.partition("\n")[0]
    shebang = re.match(r"#!\s*(\S+)(?:\s+(\S+))?", first)
    if shebang is None:
        return path if not first.startswith("#!") and text else None
    interpreter = shebang[2] if shebang[1].endswith("/env") and shebang[2] else shebang[1]
    return path if base_name(interpreter) in SHELLS else None


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
    shell.variables = machine.setting.environment()
    shell.exported = set(shell.variables)
    shell.pid1 = pid1
    try:
        return (yield from run(shell, argv, direct=pid1, lenient=lenient))
    except Exit as leave:
        return leave.code
    except (LoopControl, Return):
        return 0
    except (Unsupported, RecursionError):
        if lenient:
            return 0
        return (yield from servers.block())


def _shell(shell: Shell, argv: list[str], *, direct: bool, lenient: bool) -> Program:
    inner = Shell(
        shell.machine,
        shell.io,
        shell.run_command,
        pid1=direct,
        variables={
            # It drops what it could not have set itself.
            **{name: value for name, value in shell.environment().items() if re.fullmatch(r"[A-Za-z_]\w*", name)},
            "PWD": shell.folder,
            "SHLVL": str(int(shell.variables.get("SHLVL") or 0) + 1),
        },
        folder=shell.folder,
        depth=shell.depth + 1,
    )
    inner.exported = set(inner.variables)
    if inner.depth > MAX_DEPTH:
        raise Unsupported("too deep")
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
        inner.name, inner.arguments = arguments[0], tuple(arguments[1:])
        return (yield from inner.script(source))
    if not arguments:
        shell.io.err(f"{argv[0]}: -c requires an argument\n")
        return 2
    inner.name, inner.arguments = (arguments[1] if len(arguments) > 1 else argv[0]), tuple(arguments[2:])
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
    pieces = [piece for word in words for piece in word]
    if (
        any(piece.kind != "text" or (not piece.quoted and re.search(r"[*?\[~]", piece.text)) for piece in pieces)
        or base_name(plain[0]) in BUILTINS
    ):
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


def _command(shell: Shell, argv: list[str]) -> int | Program:
    """`command -v`, `which`, `type`: whether there is such a command, and where; `command NAME` runs it."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if argv[0] == "command" and not any(word in {"-v", "-V"} for word in argv[1:2]):
        return shell.run_command(shell, words) if words else 0
    code = 0
    for word in words:
        name = base_name(word)
        if name in BUILTINS and argv[0] != "which":
            shell.io.out(f"{word} is a shell builtin\n" if argv[0] == "type" else f"{word}\n")
        elif name in COMMANDS or name in SHELLS or name in OTHER_APPLETS:
            shell.io.out(f"{word} is /bin/{name}\n" if argv[0] == "type" else f"/bin/{name}\n")
        else:
            code = 127 if argv[0] == "type" else 1
    return code


def _timeout(shell: Shell, argv: list[str]) -> Program:
    """The command runs beside, and is stopped when its time is over."""
    words = list(argv[1:])
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in {"-s", "-k"} else words[1:]
    span = seconds(words[0]) if words else None
    if span is None or len(words) < 2:
        raise Unsupported("timeout")
    ended: list[int] = []
    beside = replace(shell, variables=dict(shell.variables), pid1=False, traps={})
    process = shell.machine.spawn(_guarded(shell.run_command(beside, words[1:])), ended.append)
    until = shell.machine.now + round(span * SECOND)
    while not ended and shell.machine.now < until:
        yield Wait(micros=min(SECOND // 20, until - shell.machine.now))
    if ended:
        return ended[0]
    shell.machine.stop(process)
    return 143


def _guarded(program: Program) -> Program:
    try:
        return (yield from program)
    except Exit as leave:
        return leave.code
    except Unsupported:
        return (yield from servers.block())


def _xargs(shell: Shell, argv: list[str]) -> Program:
    given = options("xargs", argv[1:2] if argv[1:2] and argv[1].startswith("-") else [], flags="r0t", values="n")
    words = [word for word in argv[1:] if word != (argv[1] if given.flags or given.values else None)]
    if given.values.get("n") == [""]:
        given.values["n"], words = [words[0]], words[1:]
    text = shell.io.stdin or ""
    items = text.removesuffix("\0").split("\0") if "0" in given.flags and text else text.split()
    size = int((given.values.get("n") or [str(len(items) or 1)])[0]) or 1
    shell.io, kept = replace(shell.io, stdin=""), shell.io
    code = 0
    try:
        for at in range(0, len(items) or 1, size):
            if items or "r" not in given.flags:
                code = yield from shell.run_command(shell, [*(words or ["echo"]), *items[at : at + size]])
    finally:
        shell.io = kept
    return code


def _passed_on(shell: Shell, argv: list[str]) -> int | Program:
    """nohup, time, nice: the command itself is all that matters here."""
    return shell.run_command(shell, argv[1:]) if len(argv) > 1 else 0


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


BUILTINS: dict[str, Handler] = {**builtin_commands.BUILTINS, "command": _command, "type": _command}

COMMANDS: dict[str, Handler] = {
    **BUILTINS,
    **text_commands.COMMANDS,
    **file_commands.COMMANDS,
    **filter_commands.COMMANDS,
    **look_commands.COMMANDS,
    **system_commands.COMMANDS,
    **network_commands.COMMANDS,
    "awk": awk_command.awk,
    "sleep": _sleep,
    "stress": _stress,
    "which": _command,
    "timeout": _timeout,
    "xargs": _xargs,
    "nohup": _passed_on,
    "time": _passed_on,
    "nice": _passed_on,
}
