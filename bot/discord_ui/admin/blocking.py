"""Keeping somebody from painting: for how long, what becomes of what they have waiting, and the line in the log.

Owns the durations that can be chosen.
"""

from collections.abc import Mapping
from typing import Final

from bot.discord_ui.admin import rights
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import ago, mention
from bot.errors import RequestRefused
from storage.guild_settings import EVERYWHERE, HOUR

DURATIONS: Final[Mapping[str, tuple[str, float]]] = {
    "hour": ("an hour", HOUR),
    "day": ("a day", 24 * HOUR),
    "week": ("a week", 7 * 24 * HOUR),
    "month": ("30 days", 30 * 24 * HOUR),
    "good": ("good", 0.0),
}
"""What can be chosen: its name in words, and seconds; 0 has no end."""


async def block(desk: Desk, asked: Asked, place: int, person: int, *, duration: str) -> float | None:
    """Keep `person` from painting, and cancel what they have waiting there. Returns until when. Raises RequestRefused."""
    if person == asked.user.id:
        raise RequestRefused("You cannot block yourself.")
    if asked.client.user is not None and person == asked.client.user.id:
        raise RequestRefused("Easel paints what others ask for; block one of those.")
    if rights.is_operator(desk, person):
        raise RequestRefused("That is an operator of this Easel, who cannot be blocked.")
    label, seconds = DURATIONS[duration]
    until = desk.now() + seconds if seconds else None
    deed = rights.deed_of(desk, asked, "blocks", f"{mention(person)} may not paint, for {label}")
    await desk.db.guilds.block(place, person, until=until, deed=deed)
    desk.policies.forget()
    await _cancel(desk, place, person)
    return until


async def _cancel(desk: Desk, place: int, person: int) -> None:
    """End what they have waiting: their series first, so that no cell becomes a job meanwhile."""
    for series in await desk.db.series.unfinished():
        if series.address.person == person and place in {EVERYWHERE, series.address.guild}:
            await desk.series.end(series.id)
    for standing in desk.dispatcher.queue(None if place == EVERYWHERE else place):
        if standing.job.address.person == person:
            await desk.dispatcher.cancel(standing.job.id)


def until_in_words(until: float | None) -> str:
    """How long, for a card."""
    return "for good" if until is None else f"until {ago(until)}"
