"""The outbox: a post is written down before it is sent, and is the same post however often it is tried."""

from collections.abc import Awaitable, Callable

import pytest

from storage.database import Database
from storage.errors import Missing, WrongState

Ask = Callable[..., Awaitable]
Paint = Callable[..., Awaitable]


async def test_a_second_try_is_the_same_post(database: Database, paint: Paint) -> None:
    """Beginning again, after a crash say, gives the same row, nonce and time of the first try."""
    job = (await paint(b"one"))[0].job
    first = await database.posts.begin(job, channel=1, now=100.0)
    assert (first.tried, first.state, first.ordinal) == (100.0, "pending", 0)
    assert await database.posts.begin(job, channel=1, now=160.0) == first
    assert await database.posts.of_job(job) == (first,)


async def test_a_sent_post_is_not_sent_again(database: Database, paint: Paint) -> None:
    """What was sent comes back as sent, with its message, and is owed no more."""
    job = (await paint(b"one"))[0].job
    post = await database.posts.begin(job, channel=1, now=100.0)
    await database.posts.sent(post.id, 77, 101.0)
    again = await database.posts.begin(job, channel=1, now=200.0)
    assert (again.id, again.state, again.message) == (post.id, "sent", 77)


async def test_an_untried_post_may_move(database: Database, paint: Paint) -> None:
    """A post that was never tried goes to the channel that it is begun in; a tried one is lost and replaced."""
    job = (await paint(b"one"))[0].job
    (owed,) = await database.posts.of_job(job)
    moved = await database.posts.begin(job, channel=9, now=100.0)
    assert (moved.id, moved.channel) == (owed.id, 9)
    replaced = await database.posts.begin(job, channel=8, now=110.0)
    assert (replaced.channel, replaced.tried, replaced.nonce) == (8, 110.0, f"easel-{job}-1")
    assert [post.state for post in await database.posts.of_job(job)] == ["lost", "pending"]


async def test_failures_are_posts_too(database: Database, ask: Ask) -> None:
    """The word about a failed job has its own post, and telling ends it."""
    job = (await ask()).id
    with pytest.raises(WrongState):
        await database.posts.begin(job, channel=1, now=1.0)
    await database.jobs.fail(job, reason="Out of memory.", now=2.0)
    assert await database.posts.of_job(job) == ()
    post = await database.posts.begin(job, channel=1, now=3.0)
    assert (post.kind, post.nonce) == ("failure", f"easel-{job}-0")
    await database.jobs.mark_told(job, message=88)
    (told,) = await database.posts.of_job(job)
    assert (told.state, told.message) == ("sent", 88)


async def test_a_failure_after_pictures_has_a_nonce_of_its_own(database: Database, paint: Paint) -> None:
    """A result that could not be shown and the word about it are two posts, and Discord sees two nonces."""
    job = (await paint(b"one"))[0].job
    await database.posts.begin(job, channel=1, now=1.0)
    await database.jobs.fail(job, reason="The channel is gone.", now=2.0)
    await database.posts.begin(job, channel=9, now=3.0)
    assert [(post.kind, post.state, post.nonce) for post in await database.posts.of_job(job)] == [
        ("result", "lost", f"easel-{job}-0"),
        ("failure", "pending", f"easel-{job}-1"),
    ]


async def test_posts_that_are_gone(database: Database) -> None:
    """A post or job that does not exist is Missing."""
    with pytest.raises(Missing):
        await database.posts.sent(5, 1, 1.0)
    with pytest.raises(Missing):
        await database.posts.begin(5, channel=1, now=1.0)
