"""What a reaction under one of our messages does: ✉️ send, ⭐ star, 🔁 again, ⬆️ upscale, 🔀 vary, ❌ delete or cancel.

Owns the table, and the reading of which pictures a message is about: from the buttons that it carries, so that copies in
direct messages and cards of last year work alike. A reaction cannot be answered; words go to the person directly.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import discord
import msgspec

from bot.discord_ui import view
from bot.discord_ui.actions import Action, read_ticket
from bot.discord_ui.admin.gate import may_show, visit_by
from bot.discord_ui.asking import ask_by_reaction
from bot.discord_ui.desk import Desk
from bot.discord_ui.error_replies import error_reply
from bot.discord_ui.letters import send_letter
from bot.discord_ui.posting import places
from bot.discord_ui.posting.nonces import custom_ids
from bot.discord_ui.presses.painting import DERIVATIONS
from bot.discord_ui.presses.pictures import is_mine
from bot.discord_ui.removing import remove_message
from bot.discord_ui.reply import Reply
from bot.discord_ui.shown import picture_of
from bot.errors import NotAllowed
from bot.requests.policy import Visit
from storage.values import Address, Image

log = logging.getLogger(__name__)

_VARIATION: Final = "\ufe0f"
"""Asks for the colourful form of a sign; some clients leave it out."""


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's emoji under a message of ours. `images` are the pictures that it is about, `job` the job of a queue card.

    `visit` is who and where for the gate, `may_manage` whether this person manages messages there, `may_ask` whether they may
    use commands there: who may not ask for a picture in words may not do so with a sign either.
    """

    person: int
    address: Address
    message: int
    images: tuple[int, ...]
    job: int | None
    visit: Visit
    may_manage: bool
    may_ask: bool


Answer = Callable[[Desk, discord.Client, Reaction], Awaitable[None]]


async def on_reaction(desk: Desk, client: discord.Client, event: discord.RawReactionActionEvent) -> None:
    """Answer a reaction that was added. Reactions of bots, of unknown emoji and under others' messages are nobody's."""
    emoji = str(event.emoji).removesuffix(_VARIATION)
    answer = ANSWERS.get(emoji)
    if answer is None or client.user is None or event.user_id == client.user.id:
        return
    if event.member is not None and event.member.bot:
        return  # another bot that stars everything must not be answered, nor one that asks again without end
    if event.message_author_id is not None and event.message_author_id != client.user.id:
        return
    if desk.reactions.again((event.user_id, event.message_id, emoji), now=desk.now()):
        return  # taken off and put on again in a hurry
    try:
        reaction = await _read(client, event)
        if reaction is not None:
            await answer(desk, client, reaction)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
        await tell(client, event.user_id, error_reply(error))


async def tell(client: discord.Client, person: int, reply: Reply) -> None:
    """Say something to `person` alone; closed direct messages leave nowhere to say it."""
    try:
        room = client.get_partial_messageable(await places.conversation(client, person))
        await room.send(view=view.layout(reply), allowed_mentions=view.pings(reply))
    except (discord.HTTPException, *places.PASSING, RuntimeError):
        # RuntimeError is aiohttp's word for a session that was closed: Easel is ending
        log.info("Person %d could not be told what came of a reaction", person)


async def _read(client: discord.Client, event: discord.RawReactionActionEvent) -> Reaction | None:
    try:
        message = await client.get_partial_messageable(event.channel_id).fetch_message(event.message_id)
    except places.SHUT:
        return None  # gone, or in a channel that is not ours to read: nobody asked us anything
    if client.user is None or message.author.id != client.user.id:
        return None
    carried: list[Any] = [part.to_dict() for part in message.components]
    images, job = _subjects(custom_ids(carried))
    if not images and job is None:
        return None
    address = Address(channel=event.channel_id, guild=event.guild_id, person=event.user_id)
    return Reaction(
        person=event.user_id,
        address=address,
        message=event.message_id,
        images=images,
        job=job,
        visit=visit_by(client, event),
        may_manage=_may(client, event, "manage_messages", in_conversation=False),
        may_ask=_may(client, event, "use_application_commands", in_conversation=True),
    )


def _subjects(ids: Iterable[str]) -> tuple[tuple[int, ...], int | None]:
    """Pictures and job that a card's buttons are about."""
    tickets = [ticket for custom_id in ids if (ticket := read_ticket(custom_id)) is not None]
    about_pictures = {Action.SINGLE, Action.VARY_STRONG, Action.AGAIN, Action.PNG}
    images = dict.fromkeys(ticket.id for ticket in tickets if ticket.action in about_pictures)
    job = next((ticket.id for ticket in tickets if ticket.action is Action.CANCEL), None)
    return tuple(images), job


def _may(client: discord.Client, event: discord.RawReactionActionEvent, right: str, *, in_conversation: bool) -> bool:
    """Whether who reacted has a right in that channel; a conversation with us has none to look up."""
    if event.guild_id is None:
        return in_conversation
    channel = client.get_channel(event.channel_id)
    if event.member is None or not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return False
    return bool(getattr(channel.permissions_for(event.member), right))


# -- what each does ---------------------------------------------------------------------------------------------------


async def _letter(desk: Desk, client: discord.Client, reaction: Reaction) -> None:
    """✉️: the PNGs by direct message, with seed and job."""
    images = [await picture_of(desk.db, number) for number in reaction.images]
    for image in images:
        await may_show(desk, image, Visit(person=reaction.person, guild=None, channel=0, private=True))
    if images:
        await send_letter(desk, client, reaction.person, images)


async def _star(desk: Desk, client: discord.Client, reaction: Reaction) -> None:
    """⭐: all pictures of the message among one's favourites."""
    del client
    for number in reaction.images:
        image = await picture_of(desk.db, number)
        if await desk.db.images.star(reaction.person, image.id, now=desk.now()) and desk.showcase is not None:
            await desk.showcase.starred(image.id, image.guild)


def _derived(action: Action) -> Answer:
    """A new job from the first picture of the message."""

    async def answer(desk: Desk, client: discord.Client, reaction: Reaction) -> None:
        if not reaction.images:
            return
        if not reaction.may_ask:
            raise NotAllowed("You may not use commands in that channel, so a reaction there paints nothing for you.")
        image: Image = await picture_of(desk.db, reaction.images[0])
        wish = await DERIVATIONS[action](desk, image)
        await ask_by_reaction(desk, client, reaction.address, reaction.visit, wish=wish)

    return answer


async def _remove(desk: Desk, client: discord.Client, reaction: Reaction) -> None:
    """❌: cancel under a queue card; else take the message away, and with it its owner's pictures."""
    if reaction.job is not None:
        await _cancel(desk, reaction)
        return
    may_tidy = reaction.may_manage or reaction.address.guild is None
    if await is_mine(desk, reaction.images[0], reaction.person, may_tidy=may_tidy):
        await remove_message(desk, reaction.message, person=reaction.person)
    with contextlib.suppress(discord.NotFound):  # two who manage messages may be of one mind
        await client.get_partial_messageable(reaction.address.channel).get_partial_message(reaction.message).delete()


async def _cancel(desk: Desk, reaction: Reaction) -> None:
    job = await desk.db.jobs.get(reaction.job or 0)
    if job is None:
        return
    if job.address.person != reaction.person and not reaction.may_manage:
        raise NotAllowed("Only who asked for it, or somebody who manages messages there, can cancel that.")
    await desk.dispatcher.cancel(job.id)


ANSWERS: Mapping[str, Answer] = {
    "✉": _letter,
    "⭐": _star,
    "🔁": _derived(Action.AGAIN),
    "⬆": _derived(Action.UPSCALE),
    "🔀": _derived(Action.VARY_SUBTLE),
    "❌": _remove,
}
"""By emoji, without the sign that asks for colours."""
