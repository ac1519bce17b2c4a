"""The way into a series: what was asked for is resolved, checked whole, written down and shown as a question.

Owns that nothing is painted before the yes, and that a series that may not be is refused before anything is queued. The one
function for plots and for everything else that means many jobs: `offer`.
"""

from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from bot.discord_ui.admin.gate import admit, check_cells, visit_of
from bot.discord_ui.answers import answer
from bot.discord_ui.asking import Wish, address_of
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.series.cards import question_card
from bot.discord_ui.series.limits import check_series
from bot.discord_ui.series.runs import facts_of
from bot.errors import RequestRefused
from bot.jobs.failures import SOURCE_GONE
from bot.requests.plots.layout import Layout, from_text, plain_layout, to_text
from inference.api.errors import RequestInvalid
from inference.api.request import picture_count
from inference.api.single import single
from storage.errors import Missing
from storage.series_values import NewCell, Series
from storage.values import Address

KEPT: Final = 5
"""Questions of one person that wait for an answer; older ones are forgotten."""


class Part(msgspec.Struct, frozen=True):
    """One cell: its name, and what shall be painted."""

    label: str
    wish: Wish


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: `parts` in the order of painting. `kind` is a key of `cards.HEADINGS`, or any short word.

    Without a `layout` the cells stand in reading order, without a legend.
    """

    kind: str
    title: str
    parts: tuple[Part, ...]
    layout: Layout | None = None


async def offer(
    desk: Desk, interaction: Asked, offered: Coroutine[Any, Any, Offered], *, private: bool = False
) -> Series:
    """Make `offered`, write it down and ask whether to paint it; a press on the card answers, today or after a restart.

    Raises LimitReached and RequestRefused before anything is written.
    """
    address, visit = address_of(desk, interaction, private=private), visit_of(interaction, private=private)
    try:
        # a hundred requests may take longer than the three seconds that Discord waits
        if not interaction.response.is_done():
            await interaction.response.defer(thinking=True, ephemeral=private)
    except BaseException:
        offered.close()
        raise
    made = await offered
    await check_cells(desk, visit, len(made.parts))
    check_series([part.wish.request for part in made.parts], limits=desk.settings.limits)
    for part in made.parts:
        await admit(desk, visit, part.wish.request, kind=made.kind, parent=part.wish.parent)
    series = await _written(desk, address, made)
    message = await answer(interaction, question_card(facts_of(series, from_text(series.layout))), private=private)
    await desk.db.series.set_card(series.id, message=message, channel=address.channel)
    return series


async def _written(desk: Desk, address: Address, made: Offered) -> Series:
    layout = made.layout or plain_layout(len(made.parts))
    try:
        return await desk.db.series.add(
            address=address,
            kind=made.kind,
            title=made.title,
            layout=to_text(layout),
            cells=tuple(_cell(desk, part) for part in made.parts),
            parent=next((part.wish.parent for part in made.parts if part.wish.parent is not None), None),
            now=desk.now(),
            keep=KEPT - 1,
            sources={sha: data for part in made.parts for sha, data in part.wish.sources.items()},
        )
    except Missing as error:
        raise RequestRefused(SOURCE_GONE) from error


def _cell(desk: Desk, part: Part) -> NewCell:
    """Raises RequestRefused for what can never be painted."""
    request = part.wish.request
    try:
        single(request, picture_count(request) - 1)
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    cost = desk.dispatcher.pricing.seconds_of(request)
    return NewCell(request=request, prompt=part.wish.prompt, label=part.label, cost=cost)
