"""Filling in what the bot offers: a command's options, a menu, a form; as Discord's client does and checks it.

Owns the `data` of interactions. Raises `Refused` with a sentence where the client would not let a person send it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from bot.sandbox import components as tree
from bot.sandbox import payloads
from bot.sandbox.media import Upload
from bot.sandbox.model import Channel

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]

SUBCOMMAND, SUBCOMMAND_GROUP, STRING, INTEGER, BOOLEAN = 1, 2, 3, 4, 5
USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 6, 7, 8, 9, 10, 11
TEXT_LIMIT: Final = 6000
MODAL_TEXT_LIMIT: Final = 4000

TYPES: Final[Mapping[int, tuple[tuple[type, ...], str]]] = {
    STRING: ((str,), "text"),
    INTEGER: ((int,), "a whole number"),
    NUMBER: ((int, float), "a number"),
    BOOLEAN: ((bool,), "yes or no"),
}


class Refused(Exception):
    """Discord's client does not let a person do that; the message says why."""


def _several(given: object) -> list[object]:
    """Nothing, one value (a file is one, as a pair) or a list of them, as a list."""
    if given is None:
        return []
    return list(cast("list[object]", given)) if isinstance(given, list) else [given]


class Filler:
    """Fills in for one channel; collects what the values stand for in `resolved`."""

    def __init__(self, world: "World", channel: Channel) -> None:
        self._world = world
        self._channel = channel
        self._resolved: Json = {}

    # -- commands -----------------------------------------------------------------------------------------------------

    def command(
        self, command: Json, path: Sequence[str], options: Mapping[str, object], *, focused: str | None = None
    ) -> Json:
        """The `data` of a chat command; with `focused`, of an autocomplete, where nothing is checked or required yet."""
        chain: list[Json] = []
        level: Json = command
        for word in path:
            known = {o["name"]: o for o in tree.rows(level, "options") if o["type"] in {SUBCOMMAND, SUBCOMMAND_GROUP}}
            if word not in known:
                raise Refused(f"/{command['name']} has no subcommand {word}.")
            level = known[word]
            chain.append({"name": word, "type": level["type"]})
        offered: list[Json] = tree.rows(level, "options")
        if any(option["type"] in {SUBCOMMAND, SUBCOMMAND_GROUP} for option in offered):
            raise Refused(f"/{command['name']} needs one of its subcommands.")
        filled = self._options(command["name"], offered, options, focused)
        for link in reversed(chain):
            filled = [{**link, "options": filled}]
        data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": filled}
        if command.get("guild_id"):
            data["guild_id"] = command["guild_id"]
        if self._resolved:
            data["resolved"] = self._resolved
        return data

    def _options(
        self, command: str, offered: list[Json], given: Mapping[str, object], focused: str | None
    ) -> list[Json]:
        names = {option["name"] for option in offered}
        for name in given:
            if name not in names:
                raise Refused(f"/{command} has no option {name}.")
        filled: list[Json] = []
        for option in offered:
            name = option["name"]
            if name == focused:
                filled.append({"name": name, "type": option["type"], "value": given[name], "focused": True})
            elif given.get(name) is not None:
                value = given[name] if focused else self._option_value(option, given[name])
                if option["type"] != ATTACHMENT or not focused:
                    filled.append({"name": name, "type": option["type"], "value": value})
            elif option.get("required") and not focused:
                raise Refused(f"/{command} needs the option {name}.")
        return filled

    def _option_value(self, option: Json, value: object) -> object:
        """One checked value, with what it stands for put into `resolved`."""
        name, kind = option["name"], option["type"]
        if kind in TYPES:
            types, words = TYPES[kind]
            if not isinstance(value, types) or (isinstance(value, bool) and kind != BOOLEAN):
                raise Refused(f"{name} must be {words}.")
            self._check_range(option, value)
            choices: list[Json] = tree.rows(option, "choices")
            if choices and value not in [choice["value"] for choice in choices]:
                raise Refused(f"{name} must be one of {', '.join(str(choice['name']) for choice in choices)}.")
            return value
        if kind == ATTACHMENT:
            return self._files([value])[0]
        self._resolve(kind, str(value))
        return str(value)

    @staticmethod
    def _check_range(option: Json, value: object) -> None:
        name = option["name"]
        if isinstance(value, str):
            least, most = option.get("min_length") or 0, option.get("max_length") or TEXT_LIMIT
            if not least <= len(value) <= most:
                raise Refused(f"{name} must have {least} to {most} characters; it has {len(value)}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            least, most = option.get("min_value"), option.get("max_value")
            if (least is not None and value < least) or (most is not None and value > most):
                raise Refused(f"{name} must be {least} to {most}; it is {value}.")

    # -- menus --------------------------------------------------------------------------------------------------------

    def selection(self, component: Json, values: Sequence[str]) -> Json:
        """The `data` of a choice in a message's menu."""
        chosen = self._chosen(component, values)
        data: Json = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
            "values": chosen,
        }
        if self._resolved:
            data["resolved"] = self._resolved
        return data

    def _chosen(self, component: Json, values: Sequence[str], *, least: int = 1) -> list[str]:
        """Checked values of any kind of menu."""
        chosen = [str(value) for value in values]
        offered = tree.rows(component, "options")
        several = len(offered) if component["type"] == tree.CHECKBOX_GROUP else 1
        least, most = tree.bounds(component, least=least, most=several)
        if not least <= len(chosen) <= most:
            raise Refused(f"Choose {least} to {most} of {component['custom_id']}; these are {len(chosen)}.")
        if offered:
            for value in chosen:
                if value not in [option["value"] for option in offered]:
                    raise Refused(f"{component['custom_id']} does not offer {value}.")
        kinds = {tree.USER_SELECT: USER, tree.ROLE_SELECT: ROLE, tree.CHANNEL_SELECT: CHANNEL}
        if component["type"] in tree.SELECTS - {tree.STRING_SELECT}:
            for value in chosen:
                self._resolve(kinds.get(component["type"], MENTIONABLE), value)
        return chosen

    # -- forms --------------------------------------------------------------------------------------------------------

    def modal(self, modal: Json, values: Mapping[str, object]) -> Json:
        """The `data` of a form that was filled in; fields by custom_id."""
        fields = [c for _, c in tree.walk(modal["components"]) if "custom_id" in c]
        names = {field["custom_id"] for field in fields}
        for name in values:
            if name not in names:
                raise Refused(f"The form has no field {name}.")
        sent: list[Json] = []
        for outer in modal["components"]:
            if outer["type"] == tree.LABEL:
                inner = self._field(outer["component"], values)
                sent.append({"type": outer["type"], "id": outer["id"], "component": inner})
            elif outer["type"] == tree.ACTION_ROW:
                rows = [self._field(field, values) for field in outer["components"]]
                sent.append({"type": outer["type"], "id": outer["id"], "components": rows})
            else:
                sent.append({"type": outer["type"], "id": outer["id"]})
        data: Json = {"custom_id": modal["custom_id"], "components": sent}
        if self._resolved:
            data["resolved"] = self._resolved
        return data

    def _field(self, field: Json, values: Mapping[str, object]) -> Json:
        """One field as it is sent."""
        custom_id, kind = field["custom_id"], field["type"]
        given = values.get(custom_id)
        sent: Json = {"type": kind, "id": field["id"], "custom_id": custom_id}
        fillers: dict[int, Callable[[Json, object], Json]] = {
            tree.TEXT_INPUT: self._text,
            tree.FILE_UPLOAD: self._uploads,
            tree.RADIO_GROUP: self._radio,
            tree.CHECKBOX_GROUP: self._menu,
            tree.CHECKBOX: self._checkbox,
        }
        return sent | fillers.get(kind, self._menu)(field, given)

    def _text(self, field: Json, given: object) -> Json:
        text = field.get("value") or "" if given is None else given
        if not isinstance(text, str):
            raise Refused(f"{field['custom_id']} must be text.")
        needed = field.get("required", True)
        least, most = field.get("min_length") or int(needed), field.get("max_length") or MODAL_TEXT_LIMIT
        if (text or needed) and not least <= len(text) <= most:
            raise Refused(f"{field['custom_id']} must have {least} to {most} characters; it has {len(text)}.")
        return {"value": text}

    def _menu(self, field: Json, given: object) -> Json:
        if given is None:
            chosen: list[str] = [o["value"] for o in tree.rows(field, "options") if o.get("default")]
            chosen += [str(value["id"]) for value in tree.rows(field, "default_values")]
        else:
            chosen = [str(value) for value in _several(given)]
        if not chosen and not field.get("required", True):
            return {"values": []}
        return {"values": self._chosen(field, chosen)}

    def _radio(self, field: Json, given: object) -> Json:
        value = given
        if value is None:
            value = next((o["value"] for o in field["options"] if o.get("default")), None)
        if value is None and field.get("required", True):
            raise Refused(f"Choose one of {field['custom_id']}.")
        if value is not None and value not in [o["value"] for o in field["options"]]:
            raise Refused(f"{field['custom_id']} does not offer {value}.")
        return {"value": value}

    def _checkbox(self, field: Json, given: object) -> Json:
        return {"value": bool(field.get("default") if given is None else given)}

    def _uploads(self, field: Json, given: object) -> Json:
        files = _several(given)
        least, most = tree.bounds(field)
        if not files and not field.get("required", True):
            return {"values": []}
        if not least <= len(files) <= most:
            raise Refused(f"{field['custom_id']} takes {least} to {most} files; these are {len(files)}.")
        return {"values": self._files(files)}

    # -- what values stand for ----------------------------------------------------------------------------------------

    def _files(self, files: Sequence[object]) -> list[str]:
        """Ids of files: of those that were uploaded, and of `(name, bytes)` that are handed in now."""
        ids: list[str] = []
        for file in files:
            match file:
                case (str(name), bytes(data)):
                    attachment = self._world.messages.keep_file(self._channel.id, Upload(name, data), ephemeral=True)
                case str(file_id) if file_id in self._world.attachments:
                    attachment = self._world.attachments[file_id]
                case _:
                    raise Refused("That file was not uploaded.")
            seen = payloads.attachment_payload(self._world, attachment)
            self._resolved.setdefault("attachments", {})[attachment.id] = seen
            ids.append(attachment.id)
        return ids

    def _resolve(self, kind: int, value: str) -> None:
        """Put the user, channel or role of an id into `resolved`. Raises Refused for an id that is none."""
        world, guild_id = self._world, self._channel.guild_id
        roles = world.guilds[guild_id].roles if guild_id else {}
        if kind in {USER, MENTIONABLE} and value in world.users:
            for key, rows in self.resolved_users([value]).items():
                self._resolved.setdefault(key, {}).update(rows)
        elif kind in {ROLE, MENTIONABLE} and value in roles:
            self._resolved.setdefault("roles", {})[value] = payloads.role_payload(roles[value])
        elif kind == CHANNEL and value in world.channels:
            channel = world.channels[value]
            rights = str(world.permissions(world.bot_id, channel))
            seen = {**payloads.channel_payload(world, channel), "permissions": rights}
            self._resolved.setdefault("channels", {})[value] = seen
        else:
            raise Refused(f"There is nobody and nothing with the id {value}.")

    def resolved_users(self, user_ids: Sequence[str]) -> Json:
        """Users, and in a server their memberships, as `resolved` lists them."""
        world = self._world
        resolved: Json = {"users": {i: payloads.user_payload(world.users[i]) for i in user_ids}}
        if self._channel.guild_id:
            guild = world.guilds[self._channel.guild_id]
            resolved["members"] = {
                i: {
                    k: v
                    for k, v in payloads.interaction_member_payload(world, guild, i, self._channel).items()
                    if k != "user"
                }
                for i in user_ids
                if i in guild.members
            }
        return resolved
