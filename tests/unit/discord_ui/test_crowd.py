"""A crowd is told before it is served."""

import asyncio
import contextlib

from bot.discord_ui.crowd import Crowd


async def test_wishes_wait_until_everybody_has_been_told() -> None:
    """Who has heard that Easel is thinking waits for those who are about to hear it, and no longer."""
    crowd = Crowd()
    with crowd.telling():
        with crowd.telling():
            pass
        waiting = asyncio.create_task(crowd.all_told())
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_who_comes_alone_waits_for_nobody() -> None:
    """Where nobody is being told anything, a wish is begun at once."""
    crowd = Crowd()
    with crowd.one_more() as count:
        await asyncio.wait_for(crowd.all_told(), 0.5)
        assert count == 1


async def test_who_failed_to_hear_holds_nobody_up() -> None:
    """When Discord refuses an answer, the count goes back as if it had been heard."""
    crowd = Crowd()
    with contextlib.suppress(ConnectionError), crowd.one_more(), crowd.telling():
        raise ConnectionError
    await asyncio.wait_for(crowd.all_told(), 0.5)
    with crowd.one_more() as count:
        assert count == 1
