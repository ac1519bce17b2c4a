"""Keys that Discord knows in the bodies that a bot sends. It ignores the others without a word, and a typo hides there.

Owns a table and one walk over it. An unknown key is no refusal, as it is none at Discord; it is reported.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.sandbox import components as tree
from bot.sandbox.refusals import Place

Json = dict[str, Any]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MESSAGE: Final = _words(
    "content embeds components attachments flags tts nonce enforce_nonce allowed_mentions message_reference sticker_ids "
    "poll username avatar_url thread_name applied_tags"
)
EMBED: Final = _words(
    "title type description url timestamp color footer image thumbnail video provider author fields flags"
)
COMMAND: Final = _words(
    "id application_id version guild_id name name_localizations description description_localizations options type nsfw "
    "default_member_permissions dm_permission default_permission contexts integration_types handler"
)
OPTION: Final = _words(
    "type name name_localizations description description_localizations required choices options channel_types "
    "min_value max_value min_length max_length autocomplete"
)
MODAL: Final = _words("custom_id title components")
MENU: Final = "custom_id placeholder min_values max_values disabled required default_values"

COMPONENT: Final[Mapping[int, frozenset[str]]] = {
    kind: _words(f"type id {keys}")
    for kind, keys in {
        tree.ACTION_ROW: "components",
        tree.BUTTON: "style label emoji custom_id sku_id url disabled",
        tree.STRING_SELECT: MENU + " options",
        tree.TEXT_INPUT: "custom_id style label min_length max_length required value placeholder",
        tree.USER_SELECT: MENU,
        tree.ROLE_SELECT: MENU,
        tree.MENTIONABLE_SELECT: MENU,
        tree.CHANNEL_SELECT: MENU + " channel_types",
        tree.SECTION: "components accessory",
        tree.TEXT_DISPLAY: "content",
        tree.THUMBNAIL: "media description spoiler",
        tree.MEDIA_GALLERY: "items",
        tree.FILE: "file spoiler name size",
        tree.SEPARATOR: "divider spacing",
        tree.CONTAINER: "components accent_color spoiler",
        tree.LABEL: "label description component",
        tree.FILE_UPLOAD: "custom_id min_values max_values required",
        tree.RADIO_GROUP: "custom_id options required",
        tree.CHECKBOX_GROUP: "custom_id options min_values max_values required",
        tree.CHECKBOX: "custom_id default",
    }.items()
}


def unknown_keys(method: str, path: str, body: Any) -> list[str]:
    """Sentences about keys in a request's body that Discord does not know."""
    found: list[str] = []
    parts = path.strip("/").split("/")
    if isinstance(body, list) and parts[-1] == "commands":
        for index, command in enumerate(body):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            found += _in_command(command, (index,))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(body, dict):
        found = _in_object(method, parts, body)  # pyright: ignore[reportUnknownArgumentType]
    return found


def _in_object(method: str, parts: list[str], body: Json) -> list[str]:
    if parts[-1] == "callback":
        data: Json = body.get("data") or {}
        found = _unknown(body, frozenset({"type", "data"}), ())
        if body.get("type") == 9:
            return found + _unknown(data, MODAL, ("data",)) + _in_components(data, ("data",))
        known = MESSAGE if body.get("type") in {4, 5, 7} else frozenset({"choices"})
        return found + _unknown(data, known, ("data",)) + _in_components(data, ("data",))
    if "commands" in parts:
        return _in_command(body, ())
    if "messages" in parts or (parts[0] == "webhooks" and method == "POST"):
        if parts[-1] == "bulk-delete":
            return _unknown(body, frozenset({"messages"}), ())
        found = _unknown(body, MESSAGE, ()) + _in_components(body, ())
        for index, embed in enumerate(tree.rows(body, "embeds")):
            found += _unknown(embed, EMBED, ("embeds", index))
        return found
    return []


def _in_command(command: Json, place: Place) -> list[str]:
    found = _unknown(command, COMMAND, place)
    for index, option in enumerate(tree.rows(command, "options")):
        found += _in_option(option, (*place, "options", index))
    return found


def _in_option(option: Json, place: Place) -> list[str]:
    found = _unknown(option, OPTION, place)
    for index, inner in enumerate(tree.rows(option, "options")):
        found += _in_option(inner, (*place, "options", index))
    return found


def _in_components(body: Json, place: Place) -> list[str]:
    found: list[str] = []
    for at, component in tree.walk(tree.rows(body, "components"), (*place, "components")):
        known = COMPONENT.get(component.get("type", 0))
        if known is not None:
            found += _unknown(component, known, at)
    return found


def _unknown(body: Json, known: frozenset[str], place: Place) -> list[str]:
    return [f"{'.'.join(map(str, (*place, key)))}: Discord knows no such key" for key in body if key not in known]
