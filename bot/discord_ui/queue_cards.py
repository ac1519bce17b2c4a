"""The list of somebody's open jobs, as a card with a way to cancel each. Facts in, `Reply` out; pure."""

from collections.abc import Sequence
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, HELD, slow_words
from bot.discord_ui.markup import ago, plain
from bot.discord_ui.reply import Button, Part, Reply, Row, Text
from bot.discord_ui.series.cards import SeriesFacts, series_lines
from bot.jobs.standing import Standing

SHOWN: Final = 9
"""Jobs on one card; a card takes 40 components, and each job needs three."""
SHOWN_SERIES: Final = 2
"""Series on one card, which need three as well."""


def queue_list(mine: Sequence[Standing], *, others: int, series: Sequence[SeriesFacts] = ()) -> Reply:
    """`mine` in the order in which they begin, after `series` of many pictures, and how many jobs of `others` there are."""
    parts: list[Part] = [Text(f"### Your queue\n-# {_others(others)}")]
    for many in series[:SHOWN_SERIES]:
        parts += series_lines(many)
    if not mine and not series:
        parts.append(Text("Nothing of yours is waiting. Ask for a picture with `/imagine`."))
    for each in mine[:SHOWN]:
        parts.append(Text(f"{_place(each)} · {plain(each.job.prompt, limit=120) or 'Without words'}"))
        stop = Ticket(Action.CANCEL, each.job.id).custom_id
        parts.append(Row((Button(custom_id=stop, label=f"Cancel job {each.job.id}", emoji="🛑"),)))
    if len(mine) > SHOWN:
        parts.append(Text(f"-# … and {len(mine) - SHOWN} more."))
    return Reply(parts=tuple(parts), accent=ACCENT)


def _place(each: Standing) -> str:
    if each.running:
        share = int(100 * min(each.done, each.total) / each.total) if each.total else 0
        return f"**{share} %** painted, ready {ago(each.ready_at)}"
    slow = f" · {slow_words(each.job.slow)}" if each.job.slow else ""
    if each.held:
        return f"{HELD}{slow}"
    return f"**{each.position}.** in the queue, ready {ago(each.ready_at)}{slow}"


def _others(count: int) -> str:
    return {0: "Nobody else is waiting.", 1: "One job of somebody else is open."}.get(
        count, f"{count} jobs of others are open."
    )
