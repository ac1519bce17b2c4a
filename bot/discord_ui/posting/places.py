"""Where a message of a job can go: the channel it was asked in, the interaction's own thread of answers, or a direct message.

Owns how each is written to, changed and taken away, and what kind of failure it was. Refuses to know what is said.
"""

from collections.abc import Awaitable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final, Protocol

import aiohttp
import discord

from bot.discord_ui import view
from bot.discord_ui.reply import Reply
from inference.api.request import Request
from storage.values import Address

SHUT: Final = (discord.Forbidden, discord.NotFound)
"""A place that will not open by waiting: deleted, closed, or not ours to write in."""
PASSING: Final = (discord.DiscordServerError, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)
"""Failures that another try may not meet; `passes` knows one more."""
_CLOSED: Final = "The connection to Discord is closed."
MARGIN: Final = 20.0
"""Seconds before the end of an interaction token from which it is not relied on any more."""


class MayPost(Protocol):
    """The rules as they are now: a channel may have ceased to be one for adults while something was painted for it."""

    def __call__(self, requests: Iterable[Request], address: Address, *, directly: bool) -> Awaitable[bool]:
        """Whether what came of `requests` may be shown where it was asked for, or `directly` to who asked."""
        ...


def passes(error: Exception) -> bool:
    """Whether another try may not meet `error`; a 429 that discord.py gives up on is Cloudflare's, and ends by itself."""
    return isinstance(error, PASSING) or (isinstance(error, discord.HTTPException) and error.status == 429)


def hook_of(client: discord.Client, address: Address, *, now: float) -> discord.Webhook | None:
    """The interaction's own way to answer, while its token lives."""
    if not address.interaction_token or now > address.token_until - MARGIN:
        return None
    hook = discord.Webhook.partial(address.application, address.interaction_token, client=client)
    hook.type = discord.WebhookType.application
    return hook


async def post(
    client: discord.Client, channel: int, reply: Reply, *, nonce: str, reference: int | None = None
) -> discord.Message:
    """A new message in `channel` (a server's or a conversation), shown once however often this is repeated.

    `reference` is a message there that it answers; one that is gone is left out by Discord.
    """
    answered: Any = (
        discord.MessageReference(message_id=reference, channel_id=channel, fail_if_not_exists=False)
        if reference
        else None
    )
    with _while_open(client):
        return await client.get_partial_messageable(channel).send(
            view=view.layout(reply),
            files=view.files(reply),
            nonce=nonce,
            allowed_mentions=view.pings(reply),
            reference=answered,
            mention_author=False,
        )


async def conversation(client: discord.Client, person: int) -> int:
    """The channel of the direct messages with `person`."""
    with _while_open(client):
        return (await client.create_dm(discord.Object(person))).id


async def change(client: discord.Client, address: Address, message: int, reply: Reply, *, now: float) -> None:
    """Put `reply` in place of our own `message`; through the interaction while its token lives, else with the bot's own.

    `message` 0 is the interaction's first answer, whose id a crash may have kept from us.
    """
    with _while_open(client):
        await _change(client, address, message, reply, hook=hook_of(client, address, now=now))


async def take_away(client: discord.Client, address: Address, message: int, *, now: float) -> None:
    """Delete our own `message`, in the same order."""
    with _while_open(client):
        await _take_away(client, address, message, hook=hook_of(client, address, now=now))


async def _change(
    client: discord.Client, address: Address, message: int, reply: Reply, *, hook: discord.Webhook | None
) -> None:
    if hook is not None:
        try:
            await hook.edit_message(
                _named(message),
                view=view.layout(reply),
                attachments=view.files(reply),
                allowed_mentions=view.pings(reply),
            )
            return
        except discord.HTTPException as error:
            _give_way(error)
    if not message:
        return
    partial = client.get_partial_messageable(address.channel).get_partial_message(message)
    await partial.edit(view=view.layout(reply), attachments=view.files(reply), allowed_mentions=view.pings(reply))


async def _take_away(client: discord.Client, address: Address, message: int, *, hook: discord.Webhook | None) -> None:
    if hook is not None:
        try:
            await hook.delete_message(_named(message))
            return
        except discord.HTTPException as error:
            _give_way(error)
    if message:
        await client.get_partial_messageable(address.channel).get_partial_message(message).delete()


@contextmanager
def _while_open(client: discord.Client) -> Generator[None]:
    """While Easel ends, what is left to say is for its next start: raise an error that passes, before or in the middle."""
    if client.is_closed():
        raise ConnectionAbortedError(_CLOSED)
    try:
        yield
    except RuntimeError as error:  # aiohttp's, of a session that was closed in the meantime
        if not client.is_closed():
            raise
        raise ConnectionAbortedError(_CLOSED) from error


def _named(message: int) -> Any:
    """A message as Discord's interaction routes name it."""
    return message or "@original"


def _give_way(error: discord.HTTPException) -> None:
    """A token that Discord has forgotten leaves it to the bot's own; anything else is raised."""
    if error.status not in {401, 404}:
        raise error
