"""The forms of styles: a new one, changing one, and one made of a picture; and what was filled in.

Owns the fields and their names. Refuses to know where what was filled in goes.
"""

from typing import Final

import discord
import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.commands.saved import NAME
from bot.discord_ui.fields import Field, boxes, form, line, text
from bot.discord_ui.forms import Filled
from bot.discord_ui.markup import shorten
from bot.discord_ui.styles.cards import PLACE
from bot.requests.style_settings import LINE_LIMIT, settings_of, words_of, write_settings
from inference.api.request import GenerationRequest
from storage.values import Style, StyleSettings

TITLE, WORDS, NEGATIVE, LORAS, SETTINGS, CARRIED = "name", "prompt", "negative", "loras", "settings", "carried"
_LORAS_LIMIT: Final = 1000
_SETTINGS_HINT: Final = "Model: …, Sampler: Euler a, Steps: 30, CFG scale: 7, Size: 512x768"
_WORDS_HINT: Final = f"Words that it adds; {PLACE} is where those of a request go"
_LABELS: Final = {
    "model": "Model",
    "loras": "LoRAs",
    "sampler": "Sampler",
    "steps": "Steps",
    "cfg": "CFG scale",
    "size": "Size",
}
"""What a picture's style can carry, by the setting's name, in order."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote into a form. `carried` are names of settings, of a form about a picture."""

    name: str
    prompt: str
    negative: str
    loras: str = ""
    settings: str = ""
    carried: tuple[str, ...] = ()


def new_form(name: str = "") -> discord.ui.Modal:
    """Everything that a style can have."""
    return form("A new style", Ticket(Action.STYLE_FORM, 0), (_name(name), *_fields(None)))


def edit_form(style: Style) -> discord.ui.Modal:
    """A style of one's own, as it is."""
    return form(f"Edit {style.name}", Ticket(Action.STYLE_FORM, style.id), _fields(style))


def picture_form(image: int, request: GenerationRequest) -> discord.ui.Modal:
    """A style made of a picture: its words behind those of a request, and boxes for what else it shall carry."""
    sets, words = settings_of(request), words_of(request)
    rows = [(name, f"{_LABELS[name]}: {told}", "") for name, told in told_settings(sets)]
    fields = (
        _name(""),
        text(WORDS, "Words", f"{PLACE}, {words}" if words else PLACE, hint=_WORDS_HINT),
        text(NEGATIVE, "Keeps out", request.prompt.negative),
        boxes(CARRIED, "It also sets", rows),
    )
    return form("Save as style", Ticket(Action.STYLE_OF_FORM, image), fields)


def read_written(filled: Filled) -> Written:
    """What was filled in."""
    texts = filled.texts
    return Written(
        name=texts.get(TITLE, ""),
        prompt=texts.get(WORDS, ""),
        negative=texts.get(NEGATIVE, ""),
        loras=texts.get(LORAS, "").replace("\n", ", "),
        settings=texts.get(SETTINGS, ""),
        carried=filled.choices.get(CARRIED, ()),
    )


def told_settings(sets: StyleSettings) -> tuple[tuple[str, str], ...]:
    """Each setting that is set, by name, in words."""
    told = {
        "model": sets.model,
        "loras": sets.loras,
        "sampler": sets.sampler,
        "steps": "" if sets.steps is None else str(sets.steps),
        "cfg": "" if sets.cfg is None else f"{sets.cfg:g}",
        "size": "" if sets.size is None else f"{sets.size[0]} × {sets.size[1]}",
    }
    return tuple((name, shorten(words, limit=80)) for name, words in told.items() if words)


def carried_only(sets: StyleSettings, names: tuple[str, ...]) -> StyleSettings:
    """`sets` with the settings of these names alone."""
    nothing = StyleSettings()
    kept = {name: getattr(sets, name) for name in _LABELS if name in names}
    return msgspec.structs.replace(nothing, hash=sets.hash if "model" in names else "", **kept)


def _name(name: str) -> Field:
    return line(TITLE, "Name", name, required=True, longest=NAME)


def _fields(style: Style | None) -> tuple[Field, ...]:
    sets = StyleSettings() if style is None else style.settings
    return (
        text(WORDS, "Words", style.prompt if style else "", hint=_WORDS_HINT),
        text(NEGATIVE, "Keeps out", style.negative if style else "", hint="What it keeps out of the picture"),
        line(LORAS, "LoRAs", sets.loras, hint="ink:0.8, fur", longest=_LORAS_LIMIT),
        line(SETTINGS, "Settings", write_settings(sets), hint=_SETTINGS_HINT, longest=LINE_LIMIT),
    )
