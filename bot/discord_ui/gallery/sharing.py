"""📤: posting a picture of one's own in a channel where both its painter and Easel may write.

Owns the handlers of POST and POST_TO, and whose rights are asked. What a server's policy says is `gate`'s.
"""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import discord

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import replace
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery.gate import Target, check_showing
from bot.discord_ui.gallery.keeping import spot_and_page
from bot.discord_ui.gallery.opened import opened_card
from bot.discord_ui.gallery.pictures import opened_of
from bot.discord_ui.gallery.presses import chosen
from bot.discord_ui.gallery.sharing_cards import Place, SharedFacts, WhereFacts, shared_card, where_card
from bot.discord_ui.posting import places
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import link_to, picture_of, shown_picture
from bot.errors import NotAllowed, NotFound
from storage.values import Image

SERVERS: Final = 10
"""Servers that are looked through for channels, where Discord cannot list them by itself."""
_DIRECTORY: Final = re.compile(r".*[\\/]")
_NOT_MINE: Final = "Only who asked for a picture can post it elsewhere. Send others the link to its message instead."
_GONE: Final = "That channel is gone, or I cannot see it; choose another."
_STRANGER: Final = "You are not in that server, so nothing is posted there for you."
_PERSON: Final = "You may not {} in #{}, so I do not do it for you. Choose another channel."
_EASEL: Final = "I may not {} in #{}. Choose another channel, or ask a moderator of the server to let me."
_RIGHTS: Final[Mapping[str, str]] = {
    "view_channel": "look",
    "send_messages": "write",
    "send_messages_in_threads": "write",
    "attach_files": "attach files",
}


async def ask_where(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Which channel? In place of the picture."""
    del values
    spot, page = spot_and_page(ticket.argument)
    await _mine(desk, asked.user.id, ticket.id)
    facts = WhereFacts(image=ticket.id, spot=spot, in_server=asked.guild_id is not None, page=page)
    if asked.guild_id is None:
        await asked.response.defer()
        facts = WhereFacts(image=ticket.id, spot=spot, in_server=False, page=page, places=await _places(desk, asked))
    await replace(asked, where_card(facts))


async def post(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Post it in the channel that was chosen, and go back to the picture with a link to it."""
    spot, _ = spot_and_page(ticket.argument)
    image = await _mine(desk, asked.user.id, ticket.id)
    await asked.response.defer()
    target = await _target(asked.client, chosen(values))
    await check_rights(target, await _member(target.guild, asked))
    await check_showing(desk, asked.client, image, target)
    card = shared_card(await shared_of(desk, image))
    try:
        message = await places.post(asked.client, target.id, card, nonce=str(asked.id))
    except places.SHUT as error:
        raise NotAllowed(_EASEL.format("write", target.name)) from error
    note = f"Posted [there]({message.jump_url})."
    await replace(
        asked, opened_card(await opened_of(desk, asked.user.id, spot, image=image.id, asked=asked, note=note))
    )


async def shared_of(desk: Desk, image: Image, *, stars: int = 0) -> SharedFacts:
    """The facts of a card that shows `image` elsewhere. Raises NotFound when its file is gone."""
    return SharedFacts(
        person=image.person,
        picture=await shown_picture(desk.db, image),
        prompt=image.prompt,
        model=_DIRECTORY.sub("", image.model),
        stars=stars,
        link=link_to(image) if stars else "",
    )


async def check_rights(target: Target, member: discord.Member) -> None:
    """Raise NotAllowed with words unless both `member` and Easel may post pictures in `target`."""
    for who, words in ((member, _PERSON), (target.guild.me, _EASEL)):
        missing = _missing(target, who)
        if missing:
            raise NotAllowed(words.format(missing, target.name))


def _missing(target: Target, who: discord.Member) -> str:
    """What somebody may not do that posting a picture needs; empty where they may."""
    rights = target.permissions_for(who)
    writing = "send_messages_in_threads" if isinstance(target, discord.Thread) else "send_messages"
    needed = ("view_channel", writing, "attach_files")
    return next((_RIGHTS[name] for name in needed if not getattr(rights, name)), "")


async def _mine(desk: Desk, person: int, number: int) -> Image:
    image = await picture_of(desk.db, number)
    if image.person != person:
        raise NotAllowed(_NOT_MINE)
    return image


async def _target(client: discord.Client, number: int) -> Target:
    """The channel of a server with this id. Raises NotFound."""
    channel = client.get_channel(number)
    if channel is None:
        with contextlib.suppress(discord.HTTPException):
            channel = await client.fetch_channel(number)  # a thread that is not remembered
    if not isinstance(channel, discord.TextChannel | discord.Thread):
        raise NotFound(_GONE)
    return channel


async def _member(guild: discord.Guild, asked: Asked) -> discord.Member:
    """Who asks, as a member of `guild`. Raises NotAllowed where they are none."""
    if isinstance(asked.user, discord.Member) and asked.user.guild.id == guild.id:
        return asked.user
    try:
        return await guild.fetch_member(asked.user.id)
    except places.SHUT as error:
        raise NotAllowed(_STRANGER) from error


async def _places(desk: Desk, asked: Asked) -> tuple[Place, ...]:
    """Channels of the servers where this person has painted, in which both of us may post, the latest server first."""
    numbers = await desk.db.gallery.servers(asked.user.id, limit=SERVERS)
    guilds = [guild for number in numbers if (guild := asked.client.get_guild(number)) is not None]
    members = await asyncio.gather(*(_member(guild, asked) for guild in guilds), return_exceptions=True)
    return tuple(
        Place(channel.id, channel.name, guild.name)
        for guild, member in zip(guilds, members, strict=True)
        if isinstance(member, discord.Member)
        for channel in sorted(guild.text_channels, key=lambda each: each.position)
        if not (_missing(channel, member) or _missing(channel, guild.me))
    )


HANDLERS: Final[Mapping[Action, Handler]] = MappingProxyType({Action.POST: ask_where, Action.POST_TO: post})
"""For the table of all handlers."""
