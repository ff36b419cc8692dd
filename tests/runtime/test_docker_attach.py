"""Attach against an engine that is told what to say: races that a real one shows once in many times."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from podlab.runtime.docker import sessions
from podlab.runtime.errors import NotFound
from podlab.runtime.streaming import StreamOptions


def test_a_container_that_ends_while_somebody_attaches_is_not_waited_for() -> None:
    """The engine keeps a stream to a stopped container open until its next start, which may never come."""
    engine, sink = Mock(), Mock()
    states = iter([True, False])
    engine.api.inspect_container.side_effect = lambda _: {"Config": {"Tty": False}, "State": {"Running": next(states)}}
    with pytest.raises(NotFound, match="container is in CONTAINER_EXITED state"):
        sessions.attach(engine, "c", StreamOptions(), sink)
    engine.post_stream.return_value.discard.assert_called_once()
    sink.assert_not_called()
