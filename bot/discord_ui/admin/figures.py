"""`/admin stats`: what was painted today and this week, as a card. Pure.

Owns its words; the numbers are counted in `storage.statistics`.
"""

from typing import Final

from bot.discord_ui.cards import ACCENT
from bot.discord_ui.markup import counted, plain
from bot.discord_ui.reply import Reply, Text
from storage.guild_settings import Statistics

SPANS: Final = (("Last 24 hours", 86_400.0), ("Last 7 days", 7 * 86_400.0))
"""Titles, and seconds."""


def stats_card(rows: tuple[tuple[str, Statistics], ...], *, place: str, waiting: int) -> Reply:
    """A paragraph for each span of time."""
    parts = [f"### {plain(place, limit=100)} in numbers\n-# {counted(waiting, 'job')} waiting or being painted"]
    parts += [f"**{title}**\n{_words(row)}" for title, row in rows]
    return Reply(parts=(Text("\n".join(parts)),), accent=ACCENT)


def _words(row: Statistics) -> str:
    if not row.jobs:
        return "Nobody asked for anything."
    people = counted(row.people, "person").replace("persons", "people")
    wait = "nothing has begun yet" if row.wait is None else f"{row.wait:.1f} s of waiting (median)"
    failed = f"{row.failed:,} failed" if row.failed else "none failed"
    return (
        f"{counted(row.pictures, 'picture')} in {row.seconds:,.0f} s of the painter, for {people}; "
        f"{counted(row.jobs, 'job')}, {failed}; {wait}."
    )
