"""The bot's account as Discord knows it: asked once, over REST, without connecting to the gateway.

Owns what is asked, and how a token that is refused and a Discord that is out of reach are worded.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import aiohttp
import discord

from bot.discord_ui.client import PERMISSIONS, intents, missing_permissions
from bot.errors import SetupError

PATIENCE: Final = 60.0
"""Seconds for all questions together."""
LOOKED_AT: Final = 25
"""Servers that are looked at one by one; each costs three requests."""
REFUSED: Final = (
    "Discord refuses the token in EASEL_DISCORD_TOKEN. Copy it again from https://discord.com/developers/applications "
    "(Bot, Reset Token), or unset the variable to use the sandbox."
)
TROUBLE: Final = "Discord has trouble of its own (status {}); try again later."
UNREACHABLE: Final = "Discord cannot be reached ({}). Check the network: discord.com must be reachable on port 443."


@dataclass(frozen=True, slots=True)
class Place:
    """A server: names of the rights that Easel lacks there, and in how many of its text channels it has all."""

    id: int
    name: str
    missing: tuple[str, ...]
    usable: int
    channels: int


@dataclass(frozen=True, slots=True)
class Account:
    """Who the token belongs to. `invitation` adds it to a server; `more` is how many servers were not looked at.

    `endpoint`: interactions are sent to an address in the web, so that a bot on the gateway hears none.
    """

    name: str
    invitation: str
    endpoint: bool
    places: tuple[Place, ...]
    more: int = 0


async def look_up(token: str) -> Account:
    """Log in with `token` and look around. Raises SetupError: refused, no network, or Discord's own trouble."""
    client = discord.Client(intents=intents())
    try:
        async with asyncio.timeout(PATIENCE):
            await client.login(token)
            return await _account(client)
    except (discord.LoginFailure, ValueError) as error:
        # ValueError: aiohttp will not even send a header with a line break in it.
        raise SetupError(REFUSED) from error
    except TimeoutError as error:
        raise SetupError(UNREACHABLE.format("no answer within a minute")) from error
    except (aiohttp.ClientError, OSError) as error:
        raise SetupError(UNREACHABLE.format(error)) from error
    except discord.HTTPException as error:
        raise SetupError(TROUBLE.format(error.status)) from error
    finally:
        await client.close()


async def _account(client: discord.Client) -> Account:
    user, application = client.user, client.application
    assert user is not None  # noqa: S101 - both are set by a login that did not raise
    assert application is not None  # noqa: S101
    guilds = [guild async for guild in client.fetch_guilds(limit=None, with_counts=False)]
    places = [await _place(client, guild.id) for guild in guilds[:LOOKED_AT]]
    return Account(
        name=str(user),
        invitation=discord.utils.oauth_url(application.id, permissions=PERMISSIONS),
        endpoint=application.interactions_endpoint_url is not None,
        places=tuple(places),
        more=max(0, len(guilds) - LOOKED_AT),
    )


async def _place(client: discord.Client, guild_id: int) -> Place:
    guild = await client.fetch_guild(guild_id, with_counts=False)
    assert client.user is not None  # noqa: S101 - logged in
    me = await guild.fetch_member(client.user.id)
    rooms = [channel for channel in await guild.fetch_channels() if isinstance(channel, discord.TextChannel)]
    usable = sum(not missing_permissions(channel.permissions_for(me)) for channel in rooms)
    return Place(guild.id, guild.name, missing_permissions(me.guild_permissions), usable, len(rooms))
