"""The bot's discord.py client: the events that it hears, and its commands kept up to date with Discord.

Owns the intents (guilds and reactions; none is privileged) and the command sync. Refuses to know where Discord is.
"""

import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui.error_replies import answer_error
from bot.errors import SetupError

log = logging.getLogger(__name__)

_NO_HOME: Final = (
    "Easel may not register its commands in server {}: it is not there, or [discord] guild in config.toml is no server's id. "
    "Invite it (`python run.py doctor` prints the link), or set guild = 0."
)
Asked = discord.Interaction[discord.Client]
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Easel has no voice that anybody could miss
PERMISSIONS: Final = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
    add_reactions=True,
)
"""What an invitation asks for."""


def intents() -> discord.Intents:
    """Servers, and reactions there and in direct messages; nothing that Discord calls privileged."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_reactions = wanted.dm_reactions = True
    return wanted


def missing_permissions(granted: discord.Permissions) -> tuple[str, ...]:
    """Names of what an invitation asks for and a channel does not grant, in alphabetical order."""
    have = dict(granted)
    return tuple(sorted(name for name, wanted in PERMISSIONS if wanted and not have[name]))


Gate = Callable[[Asked], Awaitable[bool]]
"""Whether a command may be used where it is used; it tells the person where it may not."""


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands; an error in any of them is answered in words, to the person alone. `gate` is asked before each."""

    gate: Gate | None = None

    async def interaction_check(self, interaction: Asked, /) -> bool:
        """Ask the gate."""
        try:
            return self.gate is None or await self.gate(interaction)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
            await answer_error(interaction, error)
            return False

    async def on_error(self, interaction: Asked, error: app_commands.AppCommandError, /) -> None:
        """Answer an error; one in an autocomplete has nowhere to be shown."""
        if interaction.type is discord.InteractionType.autocomplete:
            log.warning("A suggestion failed", exc_info=error)
            return
        await answer_error(interaction, error)


Forms = Callable[[Asked], Awaitable[None]]
Reactions = Callable[[discord.RawReactionActionEvent], Awaitable[None]]


class Listener(discord.Client):
    """discord.py's client, deaf once it is closed: an event would then be a coroutine that nobody can await any more."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Hand out an event, while there is somebody to hear it."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)


class EaselClient(Listener):
    """Easel on Discord. `stamp` is the file that remembers which commands were registered last.

    `guild` is the server that gets the commands at once; 0 registers them everywhere. `on_form` answers submitted forms,
    `on_emoji` reactions; `on_up` is called each time that the client is connected and knows its servers.
    """

    def __init__(self, *, stamp: Path, guild: int = 0, guild_ready_timeout: float = 2.0) -> None:
        super().__init__(
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=guild_ready_timeout,
        )
        self.tree = Tree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._stamp = stamp
        self._home = discord.Object(guild) if guild else None
        self.on_form: Forms | None = None
        self.on_emoji: Reactions | None = None
        self.on_up: Callable[[], None] | None = None

    async def on_ready(self) -> None:
        """Tell whoever waits for the connection."""
        if self.on_up is not None:
            self.on_up()

    async def on_interaction(self, interaction: Asked) -> None:
        """Answer a submitted form by its ticket, also one that was opened before a restart."""
        if interaction.type is discord.InteractionType.modal_submit and self.on_form is not None:
            await self.on_form(interaction)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Answer a reaction."""
        if self.on_emoji is not None:
            await self.on_emoji(event)

    async def setup_hook(self) -> None:
        """Register the commands where they have changed."""
        await self.sync_commands()

    async def sync_commands(self) -> bool:
        """Register the commands unless exactly these were registered last, for this application. True when it did.

        With a `guild` they are registered there and nowhere else; where they were before, they are taken away, so that
        nobody sees a command twice. Raises SetupError when Easel may not register any there.
        """
        digest = await self._digest()
        before, earlier = self._stamped()
        if self._home is not None:
            # also where nothing is registered: discord.py looks for a server's commands among that server's
            self.tree.copy_global_to(guild=self._home)
            self.tree.clear_commands(guild=None)
        if before == digest:
            return False
        home = self._home.id if self._home else 0
        if earlier not in {0, home}:
            with contextlib.suppress(discord.Forbidden, discord.NotFound):  # Easel has left that server
                await self.tree.sync(guild=discord.Object(earlier))
        if home:
            await self.tree.sync()
        try:
            await self.tree.sync(guild=self._home)
        except (discord.Forbidden, discord.NotFound) as error:
            raise SetupError(_NO_HOME.format(home)) from error
        self._stamp.parent.mkdir(parents=True, exist_ok=True)
        self._stamp.write_text(f"{digest} {home}", "ascii")
        return True

    def _stamped(self) -> tuple[str, int]:
        """What was registered last, and for which server (0: everywhere)."""
        words = self._stamp.read_text("ascii", "replace").split() if self._stamp.is_file() else []
        digest, home = (*words, "", "")[:2]
        return digest, int(home) if home.isdecimal() else 0

    async def _digest(self) -> str:
        commands: list[dict[str, Any]] = [dict(command.to_dict(self.tree)) for command in self.tree.get_commands()]
        commands.sort(key=lambda command: (command.get("type", 1), command["name"]))
        text = json.dumps([self.application_id, self._home and self._home.id, commands], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
