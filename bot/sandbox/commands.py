"""Application commands: registering them as Discord does, and who may use which one where.

Owns the registered commands of the world. Their rules are `validation`; filling in a command is `driver`.
"""

from typing import TYPE_CHECKING, Any, Final

from bot.sandbox import payloads
from bot.sandbox.model import Channel, Command
from bot.sandbox.permissions import USE_APPLICATION_COMMANDS
from bot.sandbox.refusals import refusal

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
IN_GUILD, IN_BOT_DIRECT = 0, 1
ANYWHERE: Final = (IN_GUILD, IN_BOT_DIRECT)


class Commands:
    """The bot's commands; a name and type exist once everywhere and once per server."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.by_id: dict[str, Command] = {}

    def of(self, guild_id: str | None) -> list[Command]:
        """Commands of one server, or those that exist everywhere."""
        return [command for command in self.by_id.values() if command.guild_id == guild_id]

    def replace(self, guild_id: str | None, bodies: list[Json]) -> list[Command]:
        """Make `bodies` all there is in that place. A command that was there under its name keeps its id."""
        known = {self._key(command.body): command for command in self.of(guild_id)}
        wanted = {self._key(body) for body in bodies}
        for key, command in known.items():
            if key not in wanted:
                self._drop(command)
        kept = [self._put(guild_id, body, known.get(self._key(body))) for body in bodies]
        self._announce()
        return kept

    def put(self, guild_id: str | None, body: Json) -> Command:
        """Add one command, or replace the one of its name and type."""
        known = {self._key(command.body): command for command in self.of(guild_id)}
        command = self._put(guild_id, body, known.get(self._key(body)))
        self._announce()
        return command

    def get(self, guild_id: str | None, command_id: str) -> Command:
        """The command. Raises Refusal (10063)."""
        command = self.by_id.get(command_id)
        if command is None or command.guild_id != guild_id:
            raise refusal("unknown_command")
        return command

    def delete(self, guild_id: str | None, command_id: str) -> None:
        """Take a command away. Raises Refusal (10063)."""
        self._drop(self.get(guild_id, command_id))
        self._announce()

    def payloads(self) -> list[Json]:
        """All of them, as Discord writes them."""
        return [payloads.command_payload(self._world, command) for command in self.by_id.values()]

    def usable(self, user_id: str, channel: Channel, *, name: str | None = None) -> list[Json]:
        """What a person finds under `/` and in menus there: by server, context, age restriction and permissions.

        `name` leaves out all others.
        """
        offered = self.of(None) + (self.of(channel.guild_id) if channel.guild_id else [])
        wanted = [command for command in offered if name is None or command.body["name"] == name]
        shown = [payloads.command_payload(self._world, command) for command in wanted]
        return [command for command in shown if self._is_usable(command, user_id, channel)]

    def _is_usable(self, command: Json, user_id: str, channel: Channel) -> bool:
        here = IN_GUILD if channel.guild_id else IN_BOT_DIRECT
        if here not in (ANYWHERE if command["contexts"] is None else command["contexts"]):
            return False
        if channel.guild_id is None:
            return not command["nsfw"]
        if command["nsfw"] and not self._world.home(channel).nsfw:
            return False
        has = self._world.permissions(user_id, channel)
        needed = int(command["default_member_permissions"] or 0)
        return bool(has & USE_APPLICATION_COMMANDS) and has & needed == needed

    @staticmethod
    def _key(body: Json) -> tuple[int, str]:
        return body.get("type") or CHAT, body["name"]

    def _put(self, guild_id: str | None, body: Json, known: Command | None) -> Command:
        mint = self._world.mint
        command = Command(id=known.id if known else mint(), version=mint(), body=body, guild_id=guild_id)
        if known and known.body == body:
            return known
        self.by_id[command.id] = command
        self._world.save(command)
        return command

    def _drop(self, command: Command) -> None:
        del self.by_id[command.id]
        self._world.forget("command", command.id)

    def _announce(self) -> None:
        for user_id in self._world.people():
            self._world.desk.show(user_id, {"type": "commands", "commands": self.payloads()})
