"""The gate: what somebody asks for, held against the rules of where they ask, before there is a job.

Owns who and where a visit is, as Discord tells it, and the order: what is never painted, then what is not painted here. Every
way to a job leads through `admit`.
"""

from collections.abc import Iterable
from typing import Any

import discord

from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.error_replies import answer_error
from bot.errors import LimitReached
from bot.requests import policy
from bot.requests.policy import Visit
from bot.requests.safety import check_request, texts_of
from inference.api.request import GenerationRequest, Request
from storage.errors import RequestUnreadable
from storage.guild_settings import Allowance
from storage.series_values import Series
from storage.values import Address, Image

GENERATIONS = 20
"""How far back it is looked what a picture began from."""


def visit_of(asked: Asked, *, private: bool = False) -> Visit:
    """Who used a command, pressed or submitted something, and where."""
    return _visit(asked.user, asked.channel, guild=asked.guild_id, channel=asked.channel_id or 0, private=private)


def visit_by(client: discord.Client, event: discord.RawReactionActionEvent) -> Visit:
    """Who reacted, and where."""
    who = event.member or discord.Object(event.user_id)
    return _visit(who, client.get_channel(event.channel_id), guild=event.guild_id, channel=event.channel_id)


async def admit(
    desk: Desk, visit: Visit, request: Request, *, kind: str, parent: int | None = None
) -> Allowance | None:
    """Return what `visit` may use of the fast lane (None: as much as they like) when `request` may be painted.

    `kind` is the command, `parent` the picture that it derives from. Raises RequestRefused for what is never painted, and
    LimitReached for what is not painted here, by them, now; each with one sentence.
    """
    check_request(request, before=await _words_before(desk, request, parent))
    rules = await desk.policies.of(visit.guild)
    policy.check(rules, visit, request, command=kind, now=desk.now())
    return policy.allowance_of(rules, visit, now=desk.now())


async def admit_cell(desk: Desk, client: discord.Client, series: Series, request: Request) -> Allowance | None:
    """`admit` for a cell of a series that was agreed to earlier, by the rules and in the channel as they are now.

    The roles are those that its asker had when they agreed. Raises RequestRefused and LimitReached.
    """
    check_request(request)
    address = series.address
    where = client.get_channel(address.channel)
    visit = _visit(
        discord.Object(address.person),
        where,
        guild=address.guild,
        channel=address.channel,
        private=address.private,
        roles=frozenset(series.roles),
    )
    rules = await desk.policies.of(visit.guild)
    policy.check_still(rules, visit, request, command=series.kind, now=desk.now())
    return policy.allowance_of(rules, visit, now=desk.now())


async def may_post(
    desk: Desk, client: discord.Client, requests: Iterable[Request], address: Address, *, directly: bool
) -> bool:
    """Whether what was painted may be shown where it was asked for, or `directly` to who asked, as the place is by now."""
    visit = _visit(
        discord.Object(address.person),
        None if directly else client.get_channel(address.channel),
        guild=None if directly else address.guild,
        channel=address.channel,
        private=directly,
    )
    rules = await desk.policies.of(address.guild)
    return not policy.why_no_adults(rules, visit) or not any(policy.is_for_adults(rules, each) for each in requests)


async def check_cells(desk: Desk, visit: Visit, cells: int) -> None:
    """Raise LimitReached where a series has more cells than this server allows."""
    policy.check_cells(await desk.policies.of(visit.guild), cells)


async def may_show(desk: Desk, image: Image, visit: Visit) -> None:
    """Raise LimitReached where a picture with words for adults would come into a place that is not for them."""
    policy.check_adults(await desk.policies.of(visit.guild), visit, image.request)


async def may_use(desk: Desk, asked: Asked) -> bool:
    """Whether a command may be used by this person in this channel; they are told where it may not."""
    data: Any = asked.data or {}
    if asked.type is not discord.InteractionType.application_command or asked.guild_id is None:
        return True
    try:
        policy.check_command(await desk.policies.of(asked.guild_id), visit_of(asked), str(data.get("name", "")))
    except LimitReached as error:
        await answer_error(asked, error)
        return False
    return True


async def _words_before(desk: Desk, request: Request, parent: int | None) -> str:
    """What the pictures were asked for with that a picture begins from; words alone carry nothing on."""
    words: list[str] = []
    while parent is not None and len(words) < GENERATIONS and _begins_from_a_picture(request):
        try:
            image = await desk.db.images.get(parent)
        except RequestUnreadable:
            break
        if image is None:
            break
        request, parent = image.request, image.parent
        words.extend(texts_of(request))
    return "\n".join(words)


def _begins_from_a_picture(request: Request) -> bool:
    return not isinstance(request, GenerationRequest) or request.source is not None


def _visit(
    who: Any,
    where: Any,
    *,
    guild: int | None,
    channel: int,
    private: bool = False,
    roles: frozenset[int] = frozenset(),
) -> Visit:
    """A thread is its parent; what Discord does not tell of a place is taken to be no permission."""
    parent: int | None = where.parent_id if isinstance(where, discord.Thread) else None
    adults = getattr(where, "is_nsfw", None)
    return Visit(
        person=who.id,
        guild=guild,
        channel=parent or channel,
        roles=frozenset(role.id for role in who.roles) if isinstance(who, discord.Member) else roles,
        restricted=bool(adults()) if adults is not None else False,
        private=private,
    )
