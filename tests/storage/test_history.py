"""Container runs and probe results."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from storage_samples import AT, make_probe
from storage_traffic import in_thread

from podlab.storage import clusters, history
from podlab.storage.errors import StoreBusy, UnknownCluster
from podlab.storage.history import ProbeRow, ProbeWriter, Run

pytestmark = pytest.mark.usefixtures("main_cluster")

RUN = Run("main", "default", "web", "u", "app", 0, "node-a", "c0", "busybox", AT, "It was created.")


def test_a_run_is_kept_from_start_to_end() -> None:
    history.start_run(RUN)
    assert history.runs_of("main", "u") == [RUN]
    ended = AT + timedelta(seconds=5)
    how = {
        "finished_at": ended,
        "exit_code": 137,
        "reason": "OOMKilled",
        "message": "out of\x00memory",
        "why": "It grew.",
    }
    assert history.finish_run("main", "u", "app", 0, **how)  # type: ignore[arg-type]
    history.start_run(replace(RUN, attempt=1, container_id="c1"))
    first, second = history.runs_of("main", "u")
    assert (first.finished_at, first.exit_code, first.reason, first.stop_why) == (ended, 137, "OOMKilled", "It grew.")
    assert first.message == "out of\ufffdmemory", "PostgreSQL cannot hold NUL"
    assert (second.attempt, second.finished_at) == (1, None)


def test_what_is_said_twice_is_kept_once() -> None:
    history.start_run(RUN)
    history.start_run(replace(RUN, container_id="another"))
    assert [run.container_id for run in history.runs_of("main", "u")] == ["c0"]
    assert history.finish_run("main", "u", "app", 0, finished_at=AT, exit_code=0)
    assert not history.finish_run("main", "u", "app", 0, finished_at=AT, exit_code=1)
    assert not history.finish_run("main", "unknown", "app", 0, finished_at=AT, exit_code=1)
    assert history.runs_of("main", "u")[0].exit_code == 0


def test_another_container_takes_the_place_of_one_that_has_ended() -> None:
    history.start_run(RUN)
    history.finish_run("main", "u", "app", 0, finished_at=AT, exit_code=0)
    history.start_run(replace(RUN, container_id="another"))
    assert [(run.container_id, run.finished_at) for run in history.runs_of("main", "u")] == [("another", None)]


def test_a_run_in_no_cluster_is_refused() -> None:
    with pytest.raises(UnknownCluster):
        history.start_run(replace(RUN, cluster="nowhere"))


def test_probe_results_are_numbered_without_gaps() -> None:
    clusters.create("other", runtime="sim")
    first = history.record_probes([make_probe("u"), make_probe("v", outcome="failure")])
    mixed = history.record_probes(
        [make_probe("u", cluster="nowhere"), make_probe("u", cluster="other"), make_probe("u")]
    )
    seqs = [row.seq for row in first + mixed]
    assert seqs == list(range(seqs[0], seqs[0] + 4)), "those of a cluster that is gone take no number"
    assert history.probes_of("main", "u") == [first[0], mixed[1]]
    assert history.probes_of("main", "u", first[0].seq) == [mixed[1]]
    assert history.probes_of("other", "u") == [mixed[0]]
    assert history.record_probes([]) == []


def test_writers_in_threads_share_one_numbering() -> None:
    def record() -> list[int]:
        return [row.seq for _ in range(10) for row in history.record_probes([make_probe("u")] * 3)]

    seqs = sorted(seq for result in [in_thread(record) for _ in range(3)] for seq in result())
    assert seqs == list(range(seqs[0], seqs[0] + 90))
    assert [row.seq for row in history.probes_of("main", "u")] == seqs


def test_the_writer_puts_results_together() -> None:
    batches: queue.Queue[int] = queue.Queue()

    def record(rows: Sequence[ProbeRow]) -> None:
        batches.put(len(rows))
        history.record_probes(rows)

    writer = ProbeWriter(delay=0.2, record=record)
    for _ in range(50):
        writer.add(make_probe("u"))
    writer.close()
    assert sum(list(batches.queue)) == 50
    assert batches.qsize() < 10
    assert len(history.probes_of("main", "u")) == 50


def test_the_writer_keeps_what_cannot_be_written_now() -> None:
    tried = threading.Semaphore(0)
    busy = threading.Event()
    busy.set()
    written: list[ProbeRow] = []

    def record(rows: Sequence[ProbeRow]) -> None:
        tried.release()
        if busy.is_set():
            raise StoreBusy("database is locked")
        written.extend(rows)

    writer = ProbeWriter(delay=0.01, record=record)
    rows = [make_probe(f"u{number}") for number in range(3)]
    for row in rows:
        writer.add(row)
        assert tried.acquire(timeout=20)
    busy.clear()
    writer.close()
    assert written == rows


def test_the_writer_writes_what_is_left_when_it_is_closed() -> None:
    writer = ProbeWriter(delay=3600)
    writer.add(make_probe("u"))
    writer.close()
    assert len(history.probes_of("main", "u")) == 1
