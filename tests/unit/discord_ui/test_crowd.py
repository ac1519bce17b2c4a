"""A crowd is told before it is served."""

import asyncio
import contextlib

from bot.discord_ui.crowd import SIZE, Crowd


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
    with crowd.one_more():
        await asyncio.wait_for(crowd.all_told(), 0.5)
        assert not crowd.gathered


async def test_who_failed_to_hear_holds_nobody_up() -> None:
    """When Discord refuses an answer, the count goes back as if it had been heard."""
    crowd = Crowd()
    with contextlib.suppress(ConnectionError), crowd.one_more(), crowd.telling():
        raise ConnectionError
    await asyncio.wait_for(crowd.all_told(), 0.5)
    with crowd.one_more():
        assert not crowd.gathered


async def test_the_first_hear_that_a_crowd_has_gathered() -> None:
    """Who came while it was none is woken by the one too many, and it is over when enough have gone."""
    crowd = Crowd()
    with contextlib.ExitStack() as asking:
        for _ in range(SIZE):
            asking.enter_context(crowd.one_more())
        waiting = asyncio.create_task(crowd.gathering())
        await asyncio.sleep(0)
        assert not waiting.done()
        with crowd.one_more():
            await asyncio.wait_for(waiting, 0.5)
            assert crowd.gathered
        assert not crowd.gathered


async def test_wishes_are_begun_one_after_the_other() -> None:
    """A wish has a turn to itself; one that takes longer than a turn holds up neither the next nor itself."""
    crowd, log = Crowd(), list[str]()
    go_on = asyncio.Event()

    async def slow() -> str:
        log.append("slow begins")
        await go_on.wait()
        return "slow"

    async def quick() -> str:
        log.append("quick begins")
        go_on.set()
        return "quick"

    made = await asyncio.wait_for(asyncio.gather(crowd.in_turn(slow), crowd.in_turn(quick)), 5)
    assert made == ["slow", "quick"]
    assert log == ["slow begins", "quick begins"]


async def test_what_a_wish_raises_is_raised_to_who_made_it() -> None:
    """A wish that is refused leaves the turn to the next."""

    async def refused() -> None:
        raise ConnectionError

    async def granted() -> int:
        return 1

    crowd = Crowd()
    results = await asyncio.gather(crowd.in_turn(refused), crowd.in_turn(granted), return_exceptions=True)
    assert isinstance(results[0], ConnectionError)
    assert results[1] == 1
