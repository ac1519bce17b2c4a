"""What a style sets besides words, as one line in the webui's manner, and as taken from a picture.

    Model: painter, Sampler: DPM++ 2M Karras, Steps: 30, CFG scale: 5.5, Size: 512x768

Owns the line's grammar and its sentences, and what a style must be to be kept. Pure.
"""

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bot.errors import RequestRefused
from bot.requests.drafts import read_loras, shown
from bot.requests.naming import checkpoint_named, joined, lora_named, sampler_named
from bot.requests.safety import check_prompt
from bot.requests.typed import read_canvas, read_number, read_whole
from bot.requests.worn import undressed
from inference.api.catalog import SAMPLERS, SCHEDULES
from inference.api.infotext.quoting import quote, unquote
from inference.api.request import MAX_SIDE, MAX_STEPS, MIN_SIDE, SIZE_STEP, GenerationRequest
from inference.api.result import Inventory
from storage.values import StyleSettings, StyleText

TEXT_LIMIT: Final = 4000
"""Characters of a style's prompt and of its negative: what a form takes."""
LINE_LIMIT: Final = 400
"""Characters of the line of settings."""
MAX_CFG: Final = 30.0
MAX_LORAS: Final = 10
_PAIR: Final = re.compile(r'[\s,]*([A-Za-z][A-Za-z \-]*?)\s*:\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SAMPLERS: Final = {row.id: row.label for row in SAMPLERS}
_SCHEDULES: Final = {row.id: f" {row.label}" for row in SCHEDULES} | {"automatic": ""}


def read_settings(text: str, *, loras: str = "", inventory: Inventory) -> StyleSettings:
    """What the line `text` says, and the list `loras`. Raises RequestRefused for what is unknown here or out of range."""
    said: dict[str, str] = {}
    line, at = text.replace("\n", ", ").strip(", "), 0
    while at < len(line):
        found = _PAIR.match(line, at)
        if found is None:
            raise _no_setting(line[at:])
        said[found[1]], at = unquote(found[2].strip()), found.end()
    return settings_said(said, loras=loras, inventory=inventory)


def settings_said(said: Mapping[str, str], *, loras: str = "", inventory: Inventory) -> StyleSettings:
    """Settings by their names on the line, as texts; empty ones are not set. Raises RequestRefused."""
    known: dict[str, Any] = {}
    for key, value in said.items():
        read = _READERS.get(key.casefold())
        if read is None:
            raise _no_setting(f"{key}: {value}")
        if value.strip():
            known |= read(value, inventory)
    return StyleSettings(loras=_loras(loras, inventory), **known)


def _no_setting(text: str) -> RequestRefused:
    return RequestRefused(
        f"“{shown(text, limit=40)}” is no setting of a style; write them as: "
        "Model: …, Sampler: …, Steps: …, CFG scale: …, Size: …"
    )


def write_settings(settings: StyleSettings) -> str:
    """The line that `read_settings` reads, without the LoRAs."""
    size = None if settings.size is None else f"{settings.size[0]}x{settings.size[1]}"
    cfg = None if settings.cfg is None else f"{settings.cfg:g}"
    facts = (
        ("Model", settings.model or None),
        ("Sampler", settings.sampler or None),
        ("Steps", settings.steps),
        ("CFG scale", cfg),
        ("Size", size),
    )
    return ", ".join(f"{key}: {quote(value)}" for key, value in facts if value is not None)


def settings_of(request: GenerationRequest) -> StyleSettings:
    """Everything that a style can carry of `request`."""
    loras = undressed(request.prompt.positive).worn
    return StyleSettings(
        model=request.model.name,
        hash=request.model.hash,
        loras=", ".join(f"{name}:{1.0 if weight is None else weight:g}" for name, weight in _sayable(loras)),
        sampler=_SAMPLERS[request.sampling.sampler] + _SCHEDULES[request.sampling.schedule],
        steps=request.sampling.steps,
        cfg=request.guidance.cfg_scale,
        size=(request.canvas.width, request.canvas.height),
    )


def words_of(request: GenerationRequest) -> str:
    """The prompt of `request` without the LoRAs that `settings_of` takes."""
    return undressed(request.prompt.positive).text


def check_style(style: StyleText) -> StyleText:
    """`style`, when it may be kept. Raises RequestRefused: it says nothing, says too much, or what must not be painted."""
    if not (style.prompt.strip() or style.negative.strip() or style.settings != StyleSettings()):
        raise RequestRefused(
            "A style needs words (what it adds to a prompt, or what it keeps out of the picture) or a setting."
        )
    for text in (style.prompt, style.negative):
        if len(text) > TEXT_LIMIT:
            raise RequestRefused(
                f"The words of a style may have at most {TEXT_LIMIT:,} characters; these have {len(text):,}."
            )
    check_prompt(style.prompt)
    return msgspec.structs.replace(style, prompt=style.prompt.strip(), negative=style.negative.strip())


def _model(text: str, inventory: Inventory) -> dict[str, Any]:
    info = checkpoint_named(text, inventory)
    return {"model": info.name, "hash": info.hash}


def _sampler(text: str, inventory: Inventory) -> dict[str, Any]:
    del inventory
    sampler, schedule = sampler_named(text)
    return {"sampler": _SAMPLERS[sampler] + _SCHEDULES[schedule]}


def _steps(text: str, inventory: Inventory) -> dict[str, Any]:
    del inventory
    return {"steps": read_whole(text, "Steps", low=1, high=MAX_STEPS)}


def _cfg(text: str, inventory: Inventory) -> dict[str, Any]:
    del inventory
    return {"cfg": read_number(text, "CFG scale", low=0, high=MAX_CFG)}


def _size(text: str, inventory: Inventory) -> dict[str, Any]:
    del inventory
    size, _ = read_canvas(text)
    if size is None:
        raise RequestRefused(f"The size of a style is in pixels, such as 512x768, not “{shown(text)}”.")
    if any(not MIN_SIDE <= side <= MAX_SIDE or side % SIZE_STEP for side in size):
        raise RequestRefused(
            f"Both sides must be multiples of {SIZE_STEP} between {MIN_SIDE} and {MAX_SIDE:,}, not {size[0]}x{size[1]}."
        )
    return {"size": size}


_READERS: Final[Mapping[str, Callable[[str, Inventory], dict[str, Any]]]] = {
    "model": _model,
    "sampler": _sampler,
    "steps": _steps,
    "cfg scale": _cfg,
    "cfg": _cfg,
    "size": _size,
}


def _loras(text: str, inventory: Inventory) -> str:
    """The list as it is kept: known names, each once. Raises RequestRefused."""
    kept: dict[str, str] = {}
    for name, weight in read_loras(text):
        info = lora_named(name, inventory)
        kept[info.name] = info.name if weight is None else f"{info.name}:{weight:g}"
    if len(kept) > MAX_LORAS:
        raise RequestRefused(f"A style wears at most {MAX_LORAS} LoRAs; these are {len(kept)}.")
    unlisted = [name for name in kept if "," in name]
    if unlisted:
        raise RequestRefused(f"The LoRA {joined(unlisted)} cannot stand in a list; the operator takes the comma out.")
    return ", ".join(kept.values())


def _sayable(worn: str) -> list[tuple[str, float | None]]:
    """The LoRAs of a picture, as many as a style wears; one of a strength that no list may ask for is left out."""
    found: list[tuple[str, float | None]] = []
    for item in worn.split(","):
        with contextlib.suppress(RequestRefused):
            found += read_loras(item)
    return found[:MAX_LORAS]
