"""Container log files: format, rotation, reading, following, and going on after `kill -9`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from podlab.apis.types import LogLine
from podlab.logs import format as cri
from podlab.logs import layout, reader
from podlab.logs.writer import LogWriter

START = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ref:
    namespace: str = "default"
    name: str = "web"
    uid: str = "8a7b"


def line(number: int, text: str | None = None, **changes: object) -> LogLine:
    made = LogLine(START + timedelta(milliseconds=number), "stdout", f"line {number}" if text is None else text)
    return replace(made, **changes)  # type: ignore[arg-type]


def everything(path: Path, **options: object) -> str:
    return b"".join(reader.read(path, **options)).decode()  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return layout.container_log(tmp_path, Ref(), "main", 0)


def filled(path: Path, count: int, max_bytes: int = 10**6, max_files: int = 5) -> Path:
    with LogWriter(path, max_bytes, max_files) as writer:
        for number in range(count):
            writer.write(line(number))
    return path


def test_the_layout_is_the_kubelets(tmp_path: Path) -> None:
    found = layout.container_log(tmp_path, Ref(), "main", 2).relative_to(tmp_path)
    assert str(found) == "pods/default_web_8a7b/main/2.log"


@pytest.mark.parametrize("bad", ["..", "a/b", "", "a\0b"])
def test_a_name_never_leads_out_of_the_root(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        layout.container_log(tmp_path, Ref(), bad, 0)


def test_attempts_lists_the_runs_in_order(tmp_path: Path) -> None:
    for attempt in (10, 2, 0):
        filled(layout.container_log(tmp_path, Ref(), "main", attempt), 3, max_bytes=60)
    assert layout.attempts(tmp_path, Ref(), "main") == [0, 2, 10]


FORMATS = {
    "a full line": (line(0, "hello"), b"2026-11-21T02:00:00.000000000Z stdout F hello\n"),
    "an empty line": (line(0, ""), b"2026-11-21T02:00:00.000000000Z stdout F \n"),
    "a part of a line": (line(0, "he", partial=True), b"2026-11-21T02:00:00.000000000Z stdout P he\n"),
    "stderr": (line(1, "x", stream="stderr"), b"2026-11-21T02:00:00.001000000Z stderr F x\n"),
    "nanoseconds": (line(1, "x", nanos=7), b"2026-11-21T02:00:00.001000007Z stdout F x\n"),
    "bytes that are no UTF-8": (line(0, "\udcff"), b"2026-11-21T02:00:00.000000000Z stdout F \xff\n"),
    "a newline cannot forge a record": (
        line(0, "a\nb", partial=True),
        b"2026-11-21T02:00:00.000000000Z stdout F a\n2026-11-21T02:00:00.000000000Z stdout P b\n",
    ),
}


@pytest.mark.parametrize("case", FORMATS)
def test_format(case: str) -> None:
    given, expected = FORMATS[case]
    assert cri.encode(given) == expected


def test_stamps_go_round() -> None:
    assert cri.parse_stamp(cri.stamp(START + timedelta(microseconds=5), 12)) == (START + timedelta(microseconds=5), 12)


def second(number: int) -> datetime:
    return START + timedelta(milliseconds=number)


READS = {
    "everything": ({}, "line 0\nline 1\nline 2\nline 3\nline 4\n"),
    "the last two": ({"tail": 2}, "line 3\nline 4\n"),
    "more than there are": ({"tail": 50}, "line 0\nline 1\nline 2\nline 3\nline 4\n"),
    "none": ({"tail": 0}, ""),
    "since is inclusive": ({"since": second(3)}, "line 3\nline 4\n"),
    "tail counts before since": ({"tail": 3, "since": second(4)}, "line 4\n"),
    "timestamps": ({"tail": 1, "timestamps": True}, "2026-11-21T02:00:00.004000000Z line 4\n"),
    "a limit may cut inside a line": ({"limit_bytes": 9}, "line 0\nli"),
    "a limit after tail": ({"tail": 2, "limit_bytes": 7}, "line 3\n"),
    "a limit of nothing": ({"limit_bytes": 0}, ""),
}


@pytest.mark.parametrize("max_bytes", [10**6, 110, 50], ids=["one file", "two records a file", "one record a file"])
@pytest.mark.parametrize("case", READS)
def test_read(path: Path, case: str, max_bytes: int) -> None:
    options, expected = READS[case]
    filled(path, 5, max_bytes, max_files=10)
    assert everything(path, **options) == expected


def test_a_missing_log_is_empty(path: Path) -> None:
    assert everything(path) == ""
    assert everything(path, tail=3) == ""
    assert reader.last_time(path) is None


def test_parts_are_joined_and_get_one_timestamp(path: Path) -> None:
    with LogWriter(path) as writer:
        for part in (line(0, "a", partial=True), line(0, "b", partial=True), line(0, "c"), line(1, "d")):
            writer.write(part)
    assert everything(path) == "abc\nd\n"
    stamp = "2026-11-21T02:00:00.00{}000000Z"
    assert everything(path, timestamps=True) == f"{stamp.format(0)} abc\n{stamp.format(1)} d\n"


def test_tail_and_last_time_over_blocks(path: Path) -> None:
    """Lines longer than the block that is read backwards."""
    with LogWriter(path) as writer:
        for number in range(4):
            writer.write(line(number, str(number) * 150_000))
    assert everything(path, tail=2) == "2" * 150_000 + "\n" + "3" * 150_000 + "\n"
    assert reader.last_time(path) == second(3)


def test_rotation_keeps_five_files_with_the_kubelets_names(path: Path) -> None:
    filled(path, 40, max_bytes=110)
    names = [file.name for file in layout.rotated(path)]
    assert names == [f"0.log.20261121-020000{suffix}" for suffix in ("_0015", "_0016", "_0017", "_0018")]
    assert everything(path) == "".join(f"line {number}\n" for number in range(30, 40))
    assert all(file.stat().st_size <= 110 for file in (*layout.rotated(path), path))


def test_a_record_larger_than_the_limit_is_written_whole(path: Path) -> None:
    with LogWriter(path, max_bytes=20) as writer:
        writer.write(line(0, "x" * 100))
    assert everything(path) == "x" * 100 + "\n"
    assert layout.rotated(path) == []


def test_a_torn_record_is_cut_off_and_written_again(path: Path) -> None:
    filled(path, 3)
    with path.open("ab") as file:
        file.write(b"2026-11-21T02:00:00.0030")
    assert everything(path) == "line 0\nline 1\nline 2\n"
    with LogWriter(path) as writer:
        assert writer.resume_since == second(2) - timedelta(microseconds=1)
        for number in (2, 3):
            writer.write(line(number))
    assert everything(path) == "line 0\nline 1\nline 2\nline 3\n"


def test_a_file_that_holds_only_a_torn_record(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"2026-11-21T02" * 10_000)
    with LogWriter(path) as writer:
        assert writer.resume_since is None
        writer.write(line(0))
    assert everything(path) == "line 0\n"


@pytest.mark.parametrize("written", range(7))
def test_lines_of_one_microsecond_are_neither_lost_nor_repeated(path: Path, written: int) -> None:
    source = [
        line(0, "a"),
        *(line(1, text, nanos=nano) for nano, text in ((1, "b"), (1, "b"), (2, "c"))),
        line(1, "c", nanos=9),
    ]
    source.append(line(2, "d"))
    with LogWriter(path) as writer:
        for item in source[:written]:
            writer.write(item)
    with LogWriter(path) as writer:
        resumed = writer.resume_since
        for item in source:
            if resumed is None or item.at > resumed:
                writer.write(item)
    assert everything(path) == "a\nb\nb\nc\nc\nd\n"


def test_resume_finds_the_last_record_in_a_rotated_part(path: Path) -> None:
    filled(path, 3)
    path.rename(path.with_name("0.log.20261121-020000"))  # killed between the rename and the new file
    assert reader.last_time(path) == second(2)
    with LogWriter(path) as writer:
        writer.write(line(2))
        writer.write(line(3))
    assert everything(path) == "line 0\nline 1\nline 2\nline 3\n"


PUMP = """
import itertools, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from podlab.apis.types import LogLine
from podlab.logs.writer import LogWriter
start = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)
with LogWriter(Path(sys.argv[1]), max_bytes=20_000, max_files=1000) as writer:
    since = writer.resume_since
    print("ready", flush=True)
    for number in itertools.count():
        at = start + timedelta(microseconds=number // 3)
        if since is None or at > since:
            writer.write(LogLine(at, "stdout", f"line {number}", nanos=number % 3))
        if number > 60_000:
            break
"""


def test_a_writer_killed_at_any_moment_loses_and_repeats_nothing(path: Path) -> None:
    """Three lines share each microsecond; the source always replays from the start, as a container's log would."""
    rng = random.Random(5)
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", PUMP, str(path)], stdout=subprocess.PIPE) as pump:
            assert pump.stdout is not None
            assert pump.stdout.readline() == b"ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                pump.wait(rng.uniform(0.01, 0.06))
            pump.send_signal(signal.SIGKILL)
    subprocess.run([sys.executable, "-c", PUMP, str(path)], check=True, stdout=subprocess.DEVNULL)
    assert everything(path) == "".join(f"line {number}\n" for number in range(60_002))


async def collect(path: Path, ended: asyncio.Event, **options: object) -> str:
    chunks = [chunk async for chunk in reader.follow(path, finished=ended.is_set, poll=0.005, **options)]  # type: ignore[arg-type]
    return b"".join(chunks).decode()


@pytest.mark.parametrize("max_bytes", [10**6, 200, 50], ids=["no rotation", "some rotation", "each line rotates"])
async def test_follow_sees_every_line_across_rotation(path: Path, max_bytes: int) -> None:
    ended = asyncio.Event()
    follower = asyncio.create_task(collect(path, ended))
    with LogWriter(path, max_bytes, max_files=500) as writer:
        for number in range(200):
            writer.write(line(number))
            if number % 7 == 0:
                await asyncio.sleep(0.002)
    ended.set()
    assert await asyncio.wait_for(follower, 10) == "".join(f"line {number}\n" for number in range(200))


async def test_follow_waits_for_the_file_and_drains_after_the_end(path: Path) -> None:
    ended = asyncio.Event()
    follower = asyncio.create_task(collect(path, ended))
    await asyncio.sleep(0.02)
    assert not follower.done()
    filled(path, 3)
    ended.set()  # before the follower looked again
    assert await asyncio.wait_for(follower, 10) == "line 0\nline 1\nline 2\n"


async def test_follow_with_tail_begins_at_the_end(path: Path) -> None:
    filled(path, 10)
    ended = asyncio.Event()
    follower = asyncio.create_task(collect(path, ended, tail=0))
    await asyncio.sleep(0.02)
    with LogWriter(path) as writer:
        writer.write(line(10))
    ended.set()
    assert await asyncio.wait_for(follower, 10) == "line 10\n"


async def test_follow_ends_at_the_limit(path: Path) -> None:
    filled(path, 10)
    assert await asyncio.wait_for(collect(path, asyncio.Event(), limit_bytes=8), 10) == "line 0\nl"


async def test_a_follower_whose_files_were_all_removed_goes_on_with_the_oldest_left(path: Path) -> None:
    ended = asyncio.Event()
    filled(path, 2)
    follower = asyncio.create_task(collect(path, ended))
    await asyncio.sleep(0.03)
    with LogWriter(path, max_bytes=110, max_files=2) as writer:  # faster than the follower looks
        for number in range(2, 20):
            writer.write(line(number))
    ended.set()
    text = await asyncio.wait_for(follower, 10)
    assert text == "line 0\nline 1\nline 16\nline 17\nline 18\nline 19\n"


async def test_many_followers_need_no_threads(path: Path) -> None:
    ended = asyncio.Event()
    threads = len(os.listdir("/proc/self/task"))
    followers = [asyncio.create_task(collect(path, ended)) for _ in range(200)]
    filled(path, 50)
    await asyncio.sleep(0.05)
    assert len(os.listdir("/proc/self/task")) == threads
    ended.set()
    texts = await asyncio.wait_for(asyncio.gather(*followers), 20)
    assert set(texts) == {"".join(f"line {number}\n" for number in range(50))}


def test_removing_a_log_takes_its_parts(path: Path) -> None:
    filled(path, 40, max_bytes=110)
    layout.remove_log(path)
    assert list(path.parent.iterdir()) == []
    layout.remove_pod(path.parents[3], Ref())
    assert not path.parent.exists()
    layout.remove_pod(path.parents[3], Ref())
