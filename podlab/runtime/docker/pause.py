"""The pause image: a program of a few hundred bytes that holds a pod's namespaces, made without registry or compiler.

It blocks SIGTERM, SIGINT and SIGCHLD and waits for them: it leaves on the first two and reaps children on the third, so
that it can be PID 1 of a shared PID namespace (Kubernetes' build/pause/linux/pause.c does so with handlers). Blocking
matters: the kernel drops signals to PID 1 of a namespace that are neither handled nor blocked.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile

REPOSITORY = "podlab/pause"
CHANGES = ('ENTRYPOINT ["/pause"]',)
_BASE = 0x400000
_HEADERS = 64 + 56  # the ELF header and one program header
_SIGNALS = struct.pack("<Q", sum(1 << (number - 1) for number in (2, 15, 17)))  # INT, TERM, CHLD

# The set of signals follows the code at the next multiple of eight, where the lea and adr instructions point.
_X86_64 = (
    "31ff",  # start: xor edi, edi           SIG_BLOCK
    "488d3557000000",  # lea rsi, [rip+set]
    "31d2",  # xor edx, edx
    "41ba08000000",  # mov r10d, 8
    "b80e000000 0f05",  # rt_sigprocmask
    "488d3d41000000",  # wait: lea rdi, [rip+set]
    "31f6",  # xor esi, esi
    "31d2",  # xor edx, edx
    "41ba08000000",  # mov r10d, 8
    "b880000000 0f05",  # rt_sigtimedwait
    "83f811",  # cmp eax, SIGCHLD
    "740d",  # je reap
    "85c0",  # test eax, eax
    "78df",  # js wait                       interrupted
    "31ff",  # xor edi, edi
    "b8e7000000 0f05",  # exit_group
    "48c7c7ffffffff",  # reap: mov rdi, -1
    "31f6",  # xor esi, esi
    "ba01000000",  # mov edx, WNOHANG
    "4531d2",  # xor r10d, r10d
    "b83d000000 0f05",  # wait4
    "85c0",  # test eax, eax
    "7fe4",  # jg reap
    "ebb8",  # jmp wait
)


def _aarch64() -> bytes:
    """Every instruction is one word. `svc` with its number in x8 is the system call."""
    start, wait, reap, signals = 0x00, 0x18, 0x4C, 0x70
    words: list[int] = []

    def here() -> int:
        return 4 * len(words)

    def mov(register: int, value: int) -> None:
        words.append(0xD2800000 | value << 5 | register)

    def adr(register: int) -> None:
        words.append(0x10000000 | (signals - here()) // 4 << 5 | register)

    def branch(condition: int, target: int) -> None:
        words.append(0x54000000 | ((target - here()) // 4 & 0x7FFFF) << 5 | condition)

    def compare(value: int) -> None:
        words.append(0xF100001F | value << 10)

    def call(number: int, arguments: tuple[int | None, ...]) -> None:
        for register, value in enumerate(arguments):
            adr(register) if value is None else mov(register, value)
        mov(8, number)
        words.append(0xD4000001)

    assert here() == start
    call(135, (0, None, 0, 8))  # rt_sigprocmask(SIG_BLOCK, set, NULL, 8)
    assert here() == wait
    call(137, (None, 0, 0, 8))  # rt_sigtimedwait(set, NULL, NULL, 8)
    compare(17)
    branch(0x0, reap)  # b.eq
    compare(0)
    branch(0xB, wait)  # b.lt
    call(94, (0,))  # exit_group(0)
    assert here() == reap
    words.append(0x92800000)  # movn x0, 0: any child
    mov(1, 0)
    mov(2, 1)  # WNOHANG
    mov(3, 0)
    mov(8, 260)  # wait4
    words.append(0xD4000001)
    compare(0)
    branch(0xC, reap)  # b.gt
    words.append(0x14000000 | ((wait - here()) // 4 & 0x3FFFFFF))  # b wait
    assert here() == signals
    return struct.pack(f"<{len(words)}I", *words)


def _code(machine: str) -> tuple[int, bytes]:
    """The ELF number of a machine as the engine names it, and its code."""
    if machine in {"x86_64", "amd64"}:
        return 62, bytes.fromhex("".join(_X86_64))
    if machine in {"aarch64", "arm64"}:
        return 183, _aarch64()
    raise ValueError(f"podlab has no pause program for {machine}; set PODLAB_PAUSE_IMAGE")


def program(machine: str) -> bytes:
    """A static ELF file that is loaded as a whole, read-only."""
    number, code = _code(machine)
    code += b"\0" * (-len(code) % 8) + _SIGNALS
    size = _HEADERS + len(code)
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, number, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return header + segment + code


def archive(machine: str) -> bytes:
    """The image's file system."""
    out = io.BytesIO()
    data = program(machine)
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size, entry.mode = len(data), 0o755
        tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def tag(machine: str) -> str:
    """The version is what is inside, so a changed program is a new image."""
    return hashlib.sha256(archive(machine) + "".join(CHANGES).encode()).hexdigest()[:12]
