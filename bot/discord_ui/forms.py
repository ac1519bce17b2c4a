"""The forms (modals): what they ask, and what came back, read from what Discord sends.

Owns the fields and their names. A form's ticket is its custom_id, so that one that was open during a restart is answered
all the same: nothing of it is kept in memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import discord
import msgspec

from bot.discord_ui.actions import Ticket
from bot.discord_ui.markup import shorten
from bot.discord_ui.validate import LABEL, OPTIONS, check_form
from inference.api.catalog import ASPECTS, SAMPLERS

PROMPT, NEGATIVE, SEED, LORAS, SAMPLER, SHAPE, PICTURE = (
    "prompt",
    "negative",
    "seed",
    "loras",
    "sampler",
    "shape",
    "picture",
)
TEXT_LIMIT: Final = 4000
"""Characters that a form's text takes."""
KEEP: Final = "keep"
_SEEDS: Final = (
    (KEEP, "Keep", "The same noise: what changes in the picture comes of your words."),
    ("random", "New", "Fresh noise: another picture."),
    ("variation", "Variation", "Nearly the same noise."),
)


class Filled(msgspec.Struct, frozen=True):
    """What somebody filled in: texts, choices and files (Discord's attachment objects) by the field's name."""

    texts: Mapping[str, str] = {}
    choices: Mapping[str, tuple[str, ...]] = {}
    files: Mapping[str, tuple[Mapping[str, Any], ...]] = {}

    def choice(self, name: str) -> str | None:
        """The one choice of a field, or None."""
        return next(iter(self.choices.get(name, ())), None)


def imagine_form(ticket: Ticket, *, loras: Sequence[str]) -> discord.ui.Modal:
    """Everything for a new picture: prompt, negative, LoRAs (or, where there are none, the sampler), shape, a picture."""
    third = _loras(loras, text="LoRAs") if loras else _samplers()
    fields = (
        _text(PROMPT, "Prompt", required=True),
        _text(NEGATIVE, "Negative prompt", required=False),
        third,
        _shapes(keep=False),
        discord.ui.Label(
            text="Begin with a picture",
            description="PNG, JPEG or WebP",
            component=discord.ui.FileUpload[Any](custom_id=PICTURE, required=False, min_values=0, max_values=1),
        ),
    )
    return _form("Paint a picture", ticket, fields)


def edit_form(ticket: Ticket, *, prompt: str, negative: str, loras: Sequence[str]) -> discord.ui.Modal:
    """Change a picture's words, seed, LoRAs (or sampler) and shape. The texts begin as they were."""
    third = _loras(loras, text="Add LoRAs") if loras else _samplers(keep=True)
    fields = (
        _text(PROMPT, "Prompt", required=True, default=prompt),
        _text(NEGATIVE, "Negative prompt", required=False, default=negative),
        _radio(SEED, "Seed", [(value, label, about, value == KEEP) for value, label, about in _SEEDS]),
        third,
        _shapes(keep=True),
    )
    return _form("Edit and paint again", ticket, fields)


def read_form(data: Mapping[str, Any]) -> Filled:
    """What a submitted form carries. `data` is the interaction's, as Discord sends it."""
    resolved: Mapping[str, Mapping[str, Any]] = data.get("resolved") or {}
    uploaded = resolved.get("attachments") or {}
    texts: dict[str, str] = {}
    choices: dict[str, tuple[str, ...]] = {}
    files: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for field in _fields(data.get("components") or ()):
        name, values = str(field["custom_id"]), tuple(field.get("values") or ())
        if field["type"] == discord.ComponentType.file_upload.value:
            files[name] = tuple(uploaded[number] for number in values if number in uploaded)
        elif "values" in field:
            choices[name] = values
        elif field["type"] == discord.ComponentType.text_input.value:
            texts[name] = str(field.get("value") or "")
        elif field.get("value") is not None:
            choices[name] = (str(field["value"]),)
    return Filled(texts, choices, files)


def _fields(components: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for part in components:
        if "custom_id" in part:
            yield part
        yield from _fields(part.get("components") or ())
        if part.get("component"):
            yield from _fields([part["component"]])


def _form(title: str, ticket: Ticket, fields: Iterable[discord.ui.Item[Any]]) -> discord.ui.Modal:
    form = discord.ui.Modal(title=title, custom_id=ticket.custom_id, timeout=None)
    for field in fields:
        form.add_item(field)
    check_form(form.to_dict())
    form.stop()  # not remembered by discord.py: the ticket is answered wherever it comes from
    return form


def _text(name: str, label: str, *, required: bool, default: str = "") -> discord.ui.Label[Any]:
    return discord.ui.Label(
        text=label,
        component=discord.ui.TextInput[Any](
            custom_id=name,
            style=discord.TextStyle.paragraph,
            required=required,
            default=default or None,
            max_length=TEXT_LIMIT,
        ),
    )


def _radio(name: str, label: str, rows: Iterable[tuple[str, str, str, bool]]) -> discord.ui.Label[Any]:
    options = [
        discord.RadioGroupOption(value=value, label=text, description=about or None, default=chosen)
        for value, text, about, chosen in rows
    ]
    return discord.ui.Label(text=label, component=discord.ui.RadioGroup[Any](custom_id=name, options=options))


def _shapes(*, keep: bool) -> discord.ui.Label[Any]:
    kept = [(KEEP, "As it is", "", True)] if keep else []
    rows = [(row.id, row.label, "", not keep and index == 0) for index, row in enumerate(ASPECTS)]
    return _radio(SHAPE, "Shape", [*kept, *rows])


def _samplers(*, keep: bool = False) -> discord.ui.Label[Any]:
    rows = SAMPLERS[:OPTIONS]
    options = [
        discord.SelectOption(label=row.label, value=row.id, description=shorten(row.help, limit=100) or None)
        for row in rows
    ]
    words = "As it was" if keep else "The usual one"
    menu = discord.ui.Select[Any](
        custom_id=SAMPLER, options=options, required=False, min_values=0, max_values=1, placeholder=words
    )
    return discord.ui.Label(text="Sampler", component=menu)


def _loras(names: Sequence[str], *, text: str) -> discord.ui.Label[Any]:
    shown = [name for name in names if 0 < len(name) <= LABEL][:OPTIONS]
    menu = discord.ui.Select[Any](
        custom_id=LORAS,
        options=[discord.SelectOption(label=name, value=name) for name in shown],
        required=False,
        min_values=0,
        max_values=len(shown),
        placeholder="None",
    )
    return discord.ui.Label(text=text, component=menu)
