"""The forms (modals): which fields each has, how one is opened with what was typed before, and what came back.

Owns the fields and their names. A form's ticket is its custom_id, so that one that was open during a restart is answered
all the same: nothing of it is kept in memory. What is typed is `bot.requests`' to understand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, get_args

import discord
import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.markup import shorten
from bot.discord_ui.validate import OPTION_TEXT, OPTIONS, check_form
from bot.requests.controls import KINDS, MODES, RESIZES
from bot.requests.enlarging import METHODS
from bot.requests.regions import Content
from inference.api.catalog import ASPECTS, SAMPLERS

PROMPT, NEGATIVE, WORN, SEED, SIZE, SHAPE, PICTURE = (
    "prompt",
    "negative",
    "worn",
    "seed",
    "size",
    "shape",
    "picture",
)
SAMPLER, STEPS, CFG, CLIP_SKIP, HIRES, STRENGTH = "sampler", "steps", "cfg", "clip_skip", "hires", "strength"
CONTENT, AREA = "content", "area"
WORDS, PLACES = "words", "places"
CONTROLS, KIND, NETWORK, SEEN, SPAN, FIT = "controls", "kind", "network", "seen", "span", "fit"
NETWORKS: Final = "networks"
"""Among the values that a form opens with: the names that the field `NETWORK` or `UPSCALER` offers, one a line."""
NO_NETWORK: Final = "-"
UPSCALER, LARGE, METHOD = "upscaler", "large", "method"
TEXT_LIMIT: Final = 4000
"""Characters that a form's text takes."""
KEEP: Final = "keep"
WHOLE, ONLY_MASKED = "whole", "masked"
Choices = tuple[tuple[str, str, str], ...]
"""Value, label and what it means, for each choice of a field."""
_SEEDS: Final[Choices] = (
    (KEEP, "Keep", "The same noise: what changes in the picture comes of your words."),
    ("random", "New", "Fresh noise: another picture."),
    ("variation", "Variation", "Nearly the same noise."),
)
_SHAPES: Final[Choices] = tuple((row.id, row.label, "") for row in ASPECTS)
_SAMPLERS: Final[Choices] = tuple((row.id, row.label, row.help) for row in SAMPLERS[:OPTIONS])
_CONTENTS: Final[Mapping[str, str]] = {
    "original": "Begin from what is there: it changes, and stays in place.",
    "fill": "Begin from the colours around it: what is there goes away.",
    "latent noise": "Begin from noise: anything may come.",
    "latent nothing": "Begin from nothing: calm surfaces come.",
}
_AREAS: Final[Choices] = (
    (WHOLE, "The whole picture", "The region is painted in sight of everything around it."),
    (ONLY_MASKED, "Only the region, enlarged", "Finer detail; what is far away is not seen."),
)
_KINDS: Final[Choices] = tuple((row.id, row.label, row.help) for row in KINDS)
_FITS: Final[Choices] = tuple(
    (f"{mode},{number}", f"{label} · {fit}", "") for mode, label in MODES.items() for number, fit in enumerate(RESIZES)
)
_SIZE_HELP: Final = f"Pixels, or a shape: {', '.join(row.id for row in ASPECTS)}"
_CONTROLS_HELP: Final = "A line each: its number, a colon, weight, start-end. Without its line a control is gone."
_SEEN_HELP: Final = "The map's short side (or auto, or pixel perfect), then its thresholds: 512, 100, 200"
_SPAN_HELP: Final = "Weight 0 to 2, then from where to where of the steps it acts: 1, 0, 1"
_PLACES_HELP: Final = "left: a red cat; top right: …; a1-b2: …; everywhere: …"
_HIRES_HELP: Final = "off, or how large, how free, with what: 2x, 0.5, Latent, 12 steps"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `kind`: "text" of several lines, a "line", a "radio" (at most ten choices), a "menu" (25), or a "file"."""

    name: str
    label: str
    kind: Literal["text", "line", "radio", "menu", "file"]
    help: str = ""
    required: bool = False
    choices: Choices = ()


class Filled(msgspec.Struct, frozen=True):
    """What somebody filled in: texts, choices and files (Discord's attachment objects) by the field's name."""

    texts: Mapping[str, str] = {}
    choices: Mapping[str, tuple[str, ...]] = {}
    files: Mapping[str, tuple[Mapping[str, Any], ...]] = {}

    def choice(self, name: str) -> str | None:
        """The one choice of a field, or None."""
        return next(iter(self.choices.get(name, ())), None)

    def values(self) -> dict[str, str]:
        """Texts and choices as `open_form` takes them to open the form again."""
        return dict(self.texts) | {name: chosen[0] for name, chosen in self.choices.items() if chosen}


def open_form(ticket: Ticket, values: Mapping[str, str]) -> discord.ui.Modal:
    """The form of `ticket`'s action, its fields filled with `values` by name. Raises KeyError for an action without a form."""
    title, fields_for = FORMS[ticket.action]
    form = discord.ui.Modal(title=title, custom_id=ticket.custom_id, timeout=None)
    for field in fields_for(values):
        form.add_item(_BUILDERS[field.kind](field, values.get(field.name, "")))
    check_form(form.to_dict())
    form.stop()  # not remembered by discord.py: the ticket is answered wherever it comes from
    return form


def read_form(data: Mapping[str, Any]) -> Filled:
    """What a submitted form carries. `data` is the interaction's, as Discord sends it."""
    resolved: Mapping[str, Mapping[str, Any]] = data.get("resolved") or {}
    uploaded = resolved.get("attachments") or {}
    texts: dict[str, str] = {}
    choices: dict[str, tuple[str, ...]] = {}
    files: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for field in _carried(data.get("components") or ()):
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


def _carried(components: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for part in components:
        if "custom_id" in part:
            yield part
        yield from _carried(part.get("components") or ())
        if part.get("component"):
            yield from _carried([part["component"]])


# -- which fields ------------------------------------------------------------------------------------------------------

_PROMPT = Field(name=PROMPT, label="Prompt", kind="text", required=True)
_NEGATIVE = Field(name=NEGATIVE, label="Negative prompt", kind="text")
_WORN = Field(
    name=WORN,
    label="LoRAs and styles",
    kind="line",
    help="Names with commas, a LoRA's strength with a colon: ink:0.8, fur, moody",
)
_SIZE = Field(name=SIZE, label="Size", kind="line", help=_SIZE_HELP)
_STRENGTH = Field(
    name=STRENGTH, label="Strength", kind="line", help="How far to leave what is there: 0 keeps it, 1 forgets it"
)
_FILE = Field(name=PICTURE, label="Begin with a picture", kind="file", help="PNG, JPEG or WebP")


def _imagine(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    return _PROMPT, _NEGATIVE, _WORN, Field(name=SHAPE, label="Shape", kind="radio", choices=_SHAPES), _FILE


def _edit(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    return _PROMPT, _NEGATIVE, _WORN, Field(name=SEED, label="Seed", kind="radio", choices=_SEEDS), _SIZE


def _settings(values: Mapping[str, str]) -> tuple[Field, ...]:
    """A picture made from a picture has a strength, and no second pass; for controls, steps and clip skip share a line."""
    last = _STRENGTH if STRENGTH in values else Field(name=HIRES, label="Hires fix", kind="line", help=_HIRES_HELP)
    cfg = Field(name=CFG, label="CFG scale", kind="line", help="How strongly the words pull: 0 to 30")
    sampler = Field(name=SAMPLER, label="Sampler", kind="menu", choices=_SAMPLERS)
    if CONTROLS in values:
        steps = Field(name=STEPS, label="Steps, clip skip", kind="line", help="Two whole numbers: 20, 1")
        return sampler, steps, cfg, Field(name=CONTROLS, label="Controls", kind="text", help=_CONTROLS_HELP), last
    return (
        sampler,
        Field(name=STEPS, label="Steps", kind="line"),
        cfg,
        Field(name=CLIP_SKIP, label="Clip skip", kind="line", help="1 to 12; SD 2 and SDXL do without"),
        last,
    )


def _remix(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    return _PROMPT, _NEGATIVE, _WORN, _STRENGTH, _SIZE


def _region(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    contents = tuple((each, each.capitalize(), _CONTENTS[each]) for each in get_args(Content))
    return (
        _PROMPT,
        _NEGATIVE,
        Field(name=CONTENT, label="Masked content", kind="menu", choices=contents),
        Field(name=AREA, label="Painted", kind="radio", choices=_AREAS),
        _STRENGTH,
    )


def _network(values: Mapping[str, str]) -> Field:
    names = [name for name in values.get(NETWORKS, "").split("\n") if name][:OPTIONS]
    choices = tuple((shorten(name, limit=100), shorten(name, limit=100), "") for name in names)
    return Field(
        name=NETWORK, label="ControlNet", kind="menu", choices=choices or ((NO_NETWORK, "None that fits is here", ""),)
    )


def _kind(values: Mapping[str, str]) -> Field:
    """The kinds that fit a menu, and among them the one that is chosen."""
    first = [row for row in _KINDS if row[0] == values.get(KIND)]
    rows = (*first, *(row for row in _KINDS if row not in first))[:OPTIONS]
    return Field(name=KIND, label="Kind of map", kind="menu", choices=rows)


def _control_words(values: Mapping[str, str]) -> tuple[Field, ...]:
    """A picture that is painted again has a seed to keep."""
    seed = (Field(name=SEED, label="Seed", kind="radio", choices=_SEEDS[:2]),) if SEED in values else ()
    return _PROMPT, _NEGATIVE, _WORN, _SIZE, *seed


def _control_change(values: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        _kind(values),
        _network(values),
        Field(name=SEEN, label="Resolution, thresholds", kind="line", help=_SEEN_HELP),
        Field(name=SPAN, label="Weight, start, end", kind="line", help=_SPAN_HELP),
        Field(name=FIT, label="Mode, and fit to another shape", kind="menu", choices=_FITS),
    )


def _control_add(values: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        Field(name=PICTURE, label="Picture", kind="file", help="PNG, JPEG or WebP; without one the first control's"),
        _kind(values),
        _network(values),
        Field(name=SPAN, label="Weight, start, end", kind="line", help=_SPAN_HELP),
    )


def _control_picture(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    return (Field(name=PICTURE, label="Picture", kind="file", help="PNG, JPEG or WebP", required=True),)


def _place(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    return (Field(name=WORDS, label="What goes there", kind="text", help="Nothing empties the marked cells"),)


def _places(values: Mapping[str, str]) -> tuple[Field, ...]:
    del values
    return (Field(name=PLACES, label="Places and words, a line each", kind="text", help=_PLACES_HELP),)


def _upscale(values: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        _upscaler(values.get(NETWORKS, "").splitlines()),
        Field(name=LARGE, label="How large", kind="line", help="How many times, 2x, or pixels to fit into, 2048x2048"),
        Field(name=METHOD, label="How", kind="radio", choices=METHODS),
        Field(
            name=STRENGTH,
            label="Strength",
            kind="line",
            help="Of tiles: 0 keeps what is there, over 0.5 each paints its own",
        ),
        Field(name=PROMPT, label="Prompt", kind="text", help="Of tiles: what the picture shows"),
    )


def _upscaler(names: Sequence[str]) -> Field:
    """A menu where all upscalers fit into one; else a line, in which near names are understood."""
    if names and len(names) <= OPTIONS and max(map(len, names)) <= OPTION_TEXT:
        return Field(name=UPSCALER, label="Upscaler", kind="menu", choices=tuple((name, name, "") for name in names))
    return Field(
        name=UPSCALER, label="Upscaler", kind="line", help="Its name, such as Lanczos; /upscale suggests them all"
    )


FORMS: Final[Mapping[Action, tuple[str, Callable[[Mapping[str, str]], tuple[Field, ...]]]]] = {
    Action.FORM: ("Paint a picture", _imagine),
    Action.EDIT_FORM: ("Edit and paint again", _edit),
    Action.SETTINGS_FORM: ("Settings, and paint again", _settings),
    Action.REMIX_FORM: ("Paint from this picture", _remix),
    Action.REGION_FORM: ("Paint the region anew", _region),
    Action.UPSCALE_FORM: ("Make it larger", _upscale),
    Action.PLACE_FORM: ("Words for the marked cells", _place),
    Action.PLACES_FORM: ("Words for places", _places),
    Action.CONTROL_FORM: ("Paint with these controls", _control_words),
    Action.CONTROL_CHANGE_FORM: ("Change the control", _control_change),
    Action.CONTROL_ADD_FORM: ("Another control", _control_add),
    Action.CONTROL_PICTURE_FORM: ("Use another picture", _control_picture),
}
"""By action: the title, and the fields for the values that it opens with."""

# -- how a field is built ----------------------------------------------------------------------------------------------


def _text(field: Field, value: str) -> discord.ui.Label[Any]:
    style = discord.TextStyle.paragraph if field.kind == "text" else discord.TextStyle.short
    box = discord.ui.TextInput[Any](
        custom_id=field.name,
        style=style,
        required=field.required,
        default=value[:TEXT_LIMIT] or None,
        max_length=TEXT_LIMIT,
    )
    return _label(field, box)


def _radio(field: Field, value: str) -> discord.ui.Label[Any]:
    chosen = value if value in {each for each, _, _ in field.choices} else field.choices[0][0]
    options = [
        discord.RadioGroupOption(value=each, label=label, description=about or None, default=each == chosen)
        for each, label, about in field.choices
    ]
    return _label(field, discord.ui.RadioGroup[Any](custom_id=field.name, options=options))


def _menu(field: Field, value: str) -> discord.ui.Label[Any]:
    options = [
        discord.SelectOption(
            label=label, value=each, description=shorten(about, limit=100) or None, default=each == value
        )
        for each, label, about in field.choices
    ]
    menu = discord.ui.Select[Any](custom_id=field.name, options=options, required=False, min_values=0, max_values=1)
    return _label(field, menu)


def _file(field: Field, value: str) -> discord.ui.Label[Any]:
    del value
    upload = discord.ui.FileUpload[Any](
        custom_id=field.name, required=field.required, min_values=int(field.required), max_values=1
    )
    return _label(field, upload)


def _label(field: Field, component: Any) -> discord.ui.Label[Any]:
    return discord.ui.Label(text=field.label, description=field.help or None, component=component)


_BUILDERS: Final[Mapping[str, Callable[[Field, str], discord.ui.Label[Any]]]] = {
    "text": _text,
    "line": _text,
    "radio": _radio,
    "menu": _menu,
    "file": _file,
}
