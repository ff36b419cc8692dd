"""What every runtime tells by itself: log lines and events."""

from __future__ import annotations

from podlab.runtime.interface import RuntimeEvent
from tests.runtime.awaiting import ended, up
from tests.runtime.labs import Lab
from tests.runtime.pods import POLITE, Lines, Pod

# Logs


def test_logs_come_in_order_and_end(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.shell("echo one; echo two; echo three; sleep 1; echo four")
    lines = Lines(pod.runtime, container_id)
    lab.eventually(lambda: lines.ended)
    assert [line.text for line in lines.lines] == ["one", "two", "three", "four"]
    assert {line.stream for line in lines.lines} == {"stdout"}
    times = [(line.at, line.nanos) for line in lines.lines]
    assert times == sorted(times)
    assert lines.ended == 1


def test_logs_of_an_ended_container_are_all_there(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.shell("echo one; echo two >&2; exit 1")
    ended(lab, pod, container_id)
    lines = Lines(pod.runtime, container_id)
    lab.eventually(lambda: lines.ended)
    assert sorted((line.stream, line.text) for line in lines.lines) == [("stderr", "two"), ("stdout", "one")]


def test_logs_resume_after_a_line(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.shell("echo one; sleep 1; echo two; sleep 1; echo three")
    first = Lines(pod.runtime, container_id)
    lab.eventually(lambda: len(first.lines) >= 2)
    first.subscription.close()
    second = Lines(lab.restart(pod.runtime), container_id, since=first.lines[0].at)
    lab.eventually(lambda: second.ended)
    assert [line.text for line in second.lines] == ["two", "three"]


def test_a_closed_log_subscription_is_quiet(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(POLITE))
    lines = Lines(pod.runtime, container_id)
    lab.eventually(lambda: lines.lines)
    lines.subscription.close()
    lines.subscription.close()
    pod.runtime.signal_container(container_id, "TERM")
    ended(lab, pod, container_id)
    witness = Lines(pod.runtime, container_id)
    lab.eventually(lambda: witness.ended)
    assert (witness.text, lines.text, lines.ended) == ("up\nTERM\n", "up\n", 0)


# Events


def test_events_arrive(lab: Lab) -> None:
    runtime = lab.runtime()
    seen: list[RuntimeEvent] = []
    subscription = runtime.events(seen.append)
    pod = Pod(runtime).open()
    container_id = pod.shell("exit 1")
    lab.eventually(lambda: RuntimeEvent(pod.ref.uid, container_id, "died") in seen)
    assert RuntimeEvent(pod.ref.uid, container_id, "started") in seen
    pod.runtime.remove_container(container_id)
    lab.eventually(lambda: RuntimeEvent(pod.ref.uid, container_id, "removed") in seen)
    subscription.close()


def test_events_of_another_node_do_not_arrive(lab: Lab) -> None:
    mine, other = lab.runtime(node="node-a"), lab.runtime(node="node-b")
    seen: list[RuntimeEvent] = []
    mine.events(seen.append)
    strange, own = Pod(other).open(), Pod(mine)
    strange.shell("exit 1")
    own.open()
    lab.eventually(lambda: any(event.pod_uid == own.ref.uid for event in seen))
    assert {event.pod_uid for event in seen} == {own.ref.uid}
