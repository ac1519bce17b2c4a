"""Deleting pictures, with what shows them elsewhere: the posts in a server's showcase go when the pictures do.

Owns that order: the rows first, so that nothing brings a picture back, then the posts. Refuses to know who may delete.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.discord_ui.desk import Desk
from storage.gallery_values import Shown

T = TypeVar("T")


async def remove_picture(desk: Desk, image: int) -> None:
    """Delete one picture. Raises Missing."""
    await _with_posts(desk, await desk.db.showcase.posted((image,)), lambda: desk.db.images.remove(image))


async def remove_message(desk: Desk, message: int, *, person: int) -> int:
    """Delete every picture of `person`'s that a message shows. Returns how many there were."""
    mine = [image.id for image in await desk.db.images.of_message(message) if image.person == person]
    posts = await desk.db.showcase.posted(mine)
    return await _with_posts(desk, posts, lambda: desk.db.images.remove_message(message, person=person))


async def forget(desk: Desk, person: int) -> int:
    """Delete everything of `person`'s. Returns how many pictures there were."""
    posts = await desk.db.showcase.posted_of(person)
    return await _with_posts(desk, posts, lambda: desk.db.people.forget(person))


async def _with_posts(desk: Desk, posts: tuple[Shown, ...], remove: Callable[[], Awaitable[T]]) -> T:
    removed = await remove()
    if posts and desk.showcase is not None:
        await desk.showcase.take_down(posts)
    return removed
