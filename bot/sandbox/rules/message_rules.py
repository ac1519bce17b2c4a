"""Rules of message bodies: text, embeds, files, mentions, the nonce, and what Components V2 excludes.

Source: Discord's documentation, "Message", create and edit; embed limits.
"""

from collections.abc import Collection
from typing import Any, Final

from bot.sandbox import components as tree
from bot.sandbox.model import COMPONENTS_V2
from bot.sandbox.refusals import Faults, InvalidForm
from bot.sandbox.rules.component_rules import check_components

Json = dict[str, Any]

CONTENT: Final = 2000
EMBEDS: Final = 10
EMBED_TEXT: Final = 6000
FILES: Final = 10
NONCE: Final = 25
LEGACY: Final = ("content", "embeds", "poll", "sticker_ids")
LEGACY_CODE: Final = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"


def check_message(body: Json, *, files: Collection[str] = (), version_2: bool = False) -> None:
    """Refuse a message body, of a create or an edit. Raises InvalidForm with all that is wrong.

    `files` are the numbers of the files that came with it; `version_2` says that the message to be edited is Components V2
    already.
    """
    faults = Faults()
    flags = body.get("flags") or 0
    content = body.get("content")
    if content is not None and not isinstance(content, str):
        faults.add(("content",), "BASE_TYPE_BAD_TYPE", "Must be text.")
    elif content:
        faults.longest(("content",), content, CONTENT)
    v2 = version_2 or bool(flags & COMPONENTS_V2)
    if v2:
        for name in LEGACY:
            if body.get(name):
                words = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
                faults.add((name,), LEGACY_CODE, words)
    _check_embeds(faults, tree.rows(body, "embeds"))
    _check_files(faults, tree.rows(body, "attachments"), files)
    _check_mentions(faults, body.get("allowed_mentions") or {})
    nonce = body.get("nonce")
    if isinstance(nonce, str):
        faults.longest(("nonce",), nonce, NONCE)
    check_components(faults, tree.rows(body, "components"), version_2=v2)
    faults.raise_if_any()


def check_media(components: list[Json], names: Collection[str]) -> None:
    """Refuse `attachment://` names in a component tree that no file of the message has. Raises InvalidForm."""
    faults = Faults()
    for place, component in tree.walk(components, ("components",)):
        for inner, media in tree.media_of(component):
            name = media["url"].removeprefix("attachment://")
            if name != media["url"] and name not in names:
                words = f"The referenced attachment {name} was not found"
                code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
                faults.add((*place, *inner, "url"), code, words)
    faults.raise_if_any()


def _check_embeds(faults: Faults, embeds: list[Json]) -> None:
    faults.count(("embeds",), embeds, (0, EMBEDS))
    total = 0
    for index, embed in enumerate(embeds):
        place = ("embeds", index)
        fields = tree.rows(embed, "fields")
        footer: Json = embed.get("footer") or {}
        author: Json = embed.get("author") or {}
        texts: list[tuple[tuple[str | int, ...], str, int]] = [
            ((*place, "title"), embed.get("title") or "", 256),
            ((*place, "description"), embed.get("description") or "", 4096),
            ((*place, "footer", "text"), footer.get("text") or "", 2048),
            ((*place, "author", "name"), author.get("name") or "", 256),
        ]
        faults.count((*place, "fields"), fields, (0, 25))
        for number, field in enumerate(fields):
            faults.length((*place, "fields", number, "name"), field.get("name"), (1, 256))
            faults.length((*place, "fields", number, "value"), field.get("value"), (1, 1024))
            total += len(str(field.get("name", ""))) + len(str(field.get("value", "")))
        for where, text, most in texts:
            faults.longest(where, text, most)
            total += len(text)
    if total > EMBED_TEXT:
        words = f"Embed size exceeds maximum size of {EMBED_TEXT}"
        faults.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", words)


def _check_files(faults: Faults, attachments: list[Json], files: Collection[str]) -> None:
    faults.count(("attachments",), attachments, (0, FILES))
    if len(files) > FILES:
        faults.add(("attachments",), "BASE_TYPE_BAD_LENGTH", f"Must be {FILES} or fewer in length.")
    for index, attachment in enumerate(attachments):
        faults.longest(("attachments", index, "description"), attachment.get("description") or "", 1024)
        number = str(attachment.get("id"))
        if len(number) < 4 and number not in files:
            words = f"There is no file {number} in the request"
            faults.add(("attachments", index, "id"), "ATTACHMENT_NOT_FOUND", words)


def _check_mentions(faults: Faults, allowed: Json) -> None:
    for kind in ("users", "roles"):
        ids = tree.rows(allowed, kind)
        faults.count(("allowed_mentions", kind), ids, (0, 100))
        if ids and kind in (allowed.get("parse") or ()):
            words = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            faults.add(("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", words)


def check_choices(body: Json) -> None:
    """Refuse the answer to an autocomplete. Raises InvalidForm."""
    faults = Faults()
    choices = tree.rows(body, "choices")
    faults.count(("data", "choices"), choices, (0, 25))
    for index, choice in enumerate(choices):
        faults.length(("data", "choices", index, "name"), choice.get("name"), (1, 100))
        if isinstance(choice.get("value"), str):
            faults.length(("data", "choices", index, "value"), choice["value"], (1, 100))
    faults.raise_if_any()


def check_callback(body: Json, *, files: Collection[str] = (), version_2: bool = False) -> None:
    """Refuse a callback to an interaction by its type and the data that belongs to it. Raises InvalidForm."""
    from bot.sandbox.rules.form_rules import check_form

    kind = body.get("type")
    data: Json = body.get("data") or {}
    if kind not in {4, 5, 6, 7, 8, 9}:
        raise InvalidForm([(("type",), "BASE_TYPE_CHOICES", "Value must be one of {4, 5, 6, 7, 8, 9}.")])
    if kind in {4, 7}:
        check_message(data, files=files, version_2=version_2)
    elif kind == 5 and (data.get("flags") or 0) & COMPONENTS_V2:
        words = "Components V2 cannot be chosen while deferring; choose it in the message itself."
        raise InvalidForm([(("data", "flags"), "BASE_TYPE_BAD_VALUE", words)])
    elif kind == 8:
        check_choices(data)
    elif kind == 9:
        check_form(data)
