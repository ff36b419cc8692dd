"""What is written in one turn of the event loop leaves in one piece, and nothing is lost or reordered."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

from podlab.ops.http_protocol import GatheringTransport


def _transport(loop: asyncio.AbstractEventLoop) -> tuple[GatheringTransport, Mock]:
    below = Mock(spec=asyncio.Transport)
    return GatheringTransport(below, loop), below


def _written(below: Mock) -> list[bytes]:
    return [call.args[0] for call in below.write.call_args_list]


async def test_head_and_body_leave_together() -> None:
    transport, below = _transport(asyncio.get_running_loop())
    transport.write(b"head")
    transport.write(b"body")
    assert _written(below) == []
    await asyncio.sleep(0)
    assert _written(below) == [b"headbody"]
    transport.write(b"next")
    await asyncio.sleep(0)
    assert _written(below) == [b"headbody", b"next"]


async def test_much_is_passed_on_at_once_so_that_the_writer_can_be_slowed_down() -> None:
    transport, below = _transport(asyncio.get_running_loop())
    transport.write(b"head")
    transport.write(b"x" * 100_000)
    assert _written(below) == [b"head" + b"x" * 100_000]
    await asyncio.sleep(0)
    assert len(_written(below)) == 1


async def test_what_was_written_before_the_end_still_leaves() -> None:
    transport, below = _transport(asyncio.get_running_loop())
    transport.write(b"last")
    transport.close()
    assert [call[0] for call in below.method_calls] == ["write", "close"]
    await asyncio.sleep(0)
    assert _written(below) == [b"last"]


async def test_everything_else_is_the_transports_own() -> None:
    transport, below = _transport(asyncio.get_running_loop())
    below.is_closing.return_value = True
    assert transport.is_closing()
    assert transport.get_extra_info is below.get_extra_info
