"""🔍 and the arrows: a picture with more around it. Whoever presses is credited and charged."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.brought import native_of, rest_of, subject_of
from bot.discord_ui.brushwork import spread
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.uploads import upload_of
from bot.errors import NotFound
from bot.requests.outpaint import FACTORS, SIDES, Sheet, Side, moved, outpainted, zoomed
from bot.settings import LimitSettings
from inference.api.request import SEED_LIMIT
from inference.api.sampling import Seeds

_STRANGE: Final = "This button is from a version of Easel that moved otherwise; use a newer card."


async def around(desk: Desk, interaction: Asked, ticket: Ticket, values: Values) -> None:
    """As many ways to go on as a bare /imagine makes."""
    del values
    await ask(desk, interaction, around_wish(desk, ticket))


async def around_wish(desk: Desk, ticket: Ticket) -> Wish:
    """The wish of a press. Raises NotFound when the picture is gone, LimitReached when it would become too large."""
    subject = await subject_of(desk, ticket)
    sheet = sheet_of(ticket, subject.size, desk.settings.limits)
    whole, mask = (upload_of(png) for png in await asyncio.to_thread(spread, subject.picture.data, sheet))
    count = desk.settings.generation.count
    # what is new must not repeat what the same noise made of the middle
    seeds = Seeds(min(desk.seed(), SEED_LIMIT - count), source=subject.base.seeds.source)
    request = outpainted(
        msgspec.structs.replace(subject.base, seeds=seeds, count=count),
        sheet,
        picture=whole.sha,
        mask=mask.sha,
        native=await native_of(desk, subject.base),
        limits=desk.settings.limits,
    )
    return Wish(
        request=request,
        kind="zoom" if ticket.action is Action.ZOOM else "move",
        prompt=subject.prompt,
        parent=subject.parent,
        sources={whole.sha: whole.data, mask.sha: mask.data},
    )


def sheet_of(ticket: Ticket, size: tuple[int, int], limits: LimitSettings) -> Sheet:
    """The sheet that `ticket` asks for, around a picture of `size`. Raises NotFound for a ticket of another time."""
    rest = rest_of(ticket)
    factor = next((each for each in FACTORS if f"{each:g}" == rest), None)
    if ticket.action is Action.ZOOM and factor is not None:
        return zoomed(size, factor)
    side = _SIDES.get(rest)
    if ticket.action is not Action.MOVE or side is None:
        raise NotFound(_STRANGE)
    return moved(size, side, limits=limits)


_SIDES: Final[Mapping[str, Side]] = {side: side for side in SIDES}

HANDLERS: Mapping[Action, Handler] = {Action.ZOOM: around, Action.MOVE: around}
