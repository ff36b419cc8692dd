"""A folder of logs is looked at once however many listen, and rings for what the kubelet does to it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from podlab.logs import bell


async def test_all_who_listen_hear_what_is_written_rotated_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "default_web_uid"
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(bell.listen(folder)) for _ in range(3)]
        assert len(bell._watches) == 1

        async def heard() -> None:
            for rung in listeners:
                await rung()

        log = folder / "app" / "0.log"
        log.parent.mkdir(parents=True)
        log.write_text("one\n")
        await heard()
        with log.open("a") as file:
            file.write("two\n")
        await heard()
        log.rename(log.with_name("0.log.20261121-090000"))
        await heard()
        (folder / "app" / "1.log").touch()
        await heard()
        (folder / "app" / "1.log").unlink()
        await heard()
    assert bell._watches == {}


async def test_what_is_written_before_somebody_waits_is_not_missed(tmp_path: Path) -> None:
    log = tmp_path / "pod" / "app" / "0.log"
    log.parent.mkdir(parents=True)
    async with bell.listen(tmp_path / "pod") as first, bell.listen(tmp_path / "pod") as second:
        log.write_text("one\n")
        await first()  # the second one has heard it too, and asks later
        await second()
