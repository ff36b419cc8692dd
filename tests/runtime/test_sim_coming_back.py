"""Nodes of simulated clusters that come back from their journal."""

from __future__ import annotations

from datetime import timedelta

from podlab.runtime.interface import Mount
from tests.runtime.pods import Lines
from tests.runtime.sim_node import REF, START, Sim


def test_a_crash_changes_nothing(sim: Sim) -> None:
    ticking = sim.shell("while true; do echo tick; sleep 2; done", name="ticking")
    ending = sim.shell("sleep 30; exit 4", name="ending")
    doomed = sim.shell("trap 'sleep 60; exit 5' TERM; while true; do sleep 3600 & wait; done", name="doomed")
    sim.to(10)
    sim.runtime.signal_container(doomed, "TERM")
    sim.exec(ticking, "touch", "/tmp/mark")
    before = sim.runtime.list_pods()
    sim.crash()
    assert sim.runtime.list_pods() == before
    assert sim.exec(ticking, "cat", "/tmp/mark").exit_code == 0
    lines = Lines(sim.runtime, ticking, since=START + timedelta(seconds=6))
    sim.to(100)
    assert [(line.at - START).total_seconds() for line in lines.lines[:3]] == [8, 10, 12]
    assert sim.fate(ending) == (30, 4, "Error")
    assert sim.fate(doomed) == (70, 5, "Error")


def test_what_ended_while_nobody_looked_ended_at_its_time(sim: Sim) -> None:
    ending = sim.shell("sleep 30; echo over; exit 4")
    sim.crash(seconds=500)
    assert sim.fate(ending) == (30, 4, "Error")
    lines = Lines(sim.runtime, ending)
    assert (lines.text, lines.ended) == ("over\n", 1)
    sim.crash(seconds=500)
    assert sim.fate(ending) == (30, 4, "Error")


def test_volumes_keep_what_was_written_and_a_replay_writes_nothing_twice(sim: Sim) -> None:
    volume = (Mount(host_path="/data/uid-1/v", container_path="/v"),)
    once = "[ -f /v/x ] && exit 0; echo a >> /v/x; sleep 1; exit 42"
    first = sim.shell(once, mounts=volume)
    sim.to(5)
    sim.crash()
    second = sim.shell(once, mounts=volume, attempt=1)
    assert (sim.fate(first), sim.fate(second)) == ((1, 42, "Error"), (5, 0, "Completed"))
    reader = sim.shell("cat /v/x", mounts=volume, name="reader")
    assert Lines(sim.runtime, reader).text == "a\n"


def test_a_damaged_tail_of_the_journal_is_dropped_and_the_file_goes_on(sim: Sim) -> None:
    container = sim.run("sleep", "3600")
    journal = sim.folder / "node.jsonl"
    for damage in (b'{"op":"remove","id":"' + container.encode(), b"\x00\xff\n", b'{"no": "op"}\n'):
        with journal.open("ab") as file:
            file.write(damage)
        sim.crash()
        assert sim.fate(container) is None
    sim.runtime.remove_container(container)
    sim.crash()
    assert sim.runtime.pod_status(REF).containers == ()


def test_ids_and_addresses_are_not_given_twice_after_a_crash(sim: Sim) -> None:
    first = sim.run("true")
    sim.runtime.remove_sandbox(sim.sandbox)
    sim.crash()
    assert sim.run("true") != first


def test_the_journal_stays_small(sim: Sim) -> None:
    for attempt in range(900):
        sim.runtime.remove_container(sim.run("true", attempt=attempt))
    assert len((sim.folder / "node.jsonl").read_bytes().splitlines()) < 2500
