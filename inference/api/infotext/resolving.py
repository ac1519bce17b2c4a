"""From a text to a request that paints what it says, with a sentence for all that cannot be honoured.

Owns the order in which a text is understood. Any text gives a request: what is missing or makes no sense is taken from a
request that the caller gives.
"""

import re

import msgspec

from inference.api.errors import RequestInvalid
from inference.api.infotext.controls import read_controls
from inference.api.infotext.defaults import Parameters
from inference.api.infotext.faces import read_faces
from inference.api.infotext.files import Shelves, read_hashes
from inference.api.infotext.foreign import Resource, take_json
from inference.api.infotext.keys import HONOURED, LEFT_OUT, WITHOUT_EFFECT, find_row
from inference.api.infotext.parsing import parse_parameters, split
from inference.api.infotext.passes import (
    read_guidance,
    read_hires,
    read_refiner,
    read_sampling,
    read_seeds,
    read_source,
)
from inference.api.infotext.reading import Reader
from inference.api.infotext.redraws import read_redraw, tile_canvas
from inference.api.infotext.regions import read_regional
from inference.api.lookup import find_checkpoint
from inference.api.redraw import UltimateUpscale
from inference.api.request import (
    MAX_MERGING,
    MAX_PROMPT,
    MAX_SIDE,
    MIN_SIDE,
    SIZE_STEP,
    Canvas,
    GenerationRequest,
    ModelRef,
    Prompt,
)
from inference.api.result import Inventory, ModelFile

MAX_TEXT = 200_000
"""Characters of a text that are looked at."""
_ADDNET_NAME = re.compile(r"(.*?)\s*\([0-9a-fA-F]+\)")
_SHOWN = 6
"""Unknown keys that are named; the rest are counted."""


class Infotext(msgspec.Struct, frozen=True):
    """A text understood as far as it goes without files. `said` are the keys that it spells out itself."""

    parameters: Parameters
    said: frozenset[str]
    resources: tuple[Resource, ...] = ()


class Resolved(msgspec.Struct, frozen=True):
    """`request` paints one picture; `notes` are sentences about what the text says and the picture will not show."""

    request: GenerationRequest
    notes: tuple[str, ...] = ()


def read_infotext(text: str) -> Infotext:
    """Understand a pasted text, Civitai's too. Total."""
    plain, resources = take_json(text[:MAX_TEXT])
    said = frozenset(key for key, value in split(plain)[1] if value)
    parameters = parse_parameters(plain)
    if "Schedule type" not in said:
        parameters.pop("Schedule type", None)  # not “Automatic”: before 1.9.0 a sampler without one ran uniform
    return Infotext(parameters, said, resources)


def resolve(infotext: Infotext, inventory: Inventory, *, base: GenerationRequest) -> Resolved:
    """A request that paints what `infotext` says with the files of `inventory`.

    `base` says what is taken where the text is silent; its model must be on the shelf. The text's `Init image hash` may name
    pictures that the caller must attach (`attachments_of`).
    """
    reader, shelves = Reader(infotext.parameters), Shelves(inventory, infotext.resources, [])
    model, checkpoint = _model(reader, shelves, base)
    hires = read_hires(reader, shelves)
    source = None if hires is not None else read_source(reader, shelves)
    redraw = read_redraw(reader, shelves)
    request = GenerationRequest(
        prompt=_prompt(reader, shelves, base.prompt),
        canvas=tile_canvas(redraw)
        if isinstance(redraw, UltimateUpscale)
        else _canvas(reader, base.canvas, checkpoint, same=model.name == base.model.name),
        seeds=read_seeds(reader, base.seeds),
        model=model,
        sampling=read_sampling(reader, base.sampling),
        guidance=read_guidance(reader, base.guidance),
        source=source,
        refiner=read_refiner(reader, shelves),
        tiling=reader.flag("Tiling"),
        extra_noise=reader.number("Extra noise", 0.0, low=0.0, high=1.0),
        token_merging_ratio=reader.number("Token merging ratio", 0.0, low=0.0, high=MAX_MERGING),
        regional=read_regional(reader),
        control=read_controls(reader, inventory, sourced=source is not None),
        faces=read_faces(reader, inventory),
    )
    if redraw is not None and source is not None:
        try:
            request = msgspec.structs.replace(request, redraw=redraw)
        except RequestInvalid as error:
            reader.notes.append(f"{error} The tiled upscale was left out.")
    if hires is not None:
        prompts = {
            name: shelves.loras(getattr(hires, name), _hashes(reader, shelves)) for name in ("prompt", "negative")
        }
        hires = msgspec.structs.replace(
            hires, prompt=prompts["prompt"][:MAX_PROMPT], negative=hires.negative[:MAX_PROMPT]
        )
        try:
            request = msgspec.structs.replace(request, hires=hires)
        except RequestInvalid as error:
            reader.notes.append(f"{error} The second pass was left out.")
    shelves.embeddings(read_hashes(reader.text("TI hashes")))
    notes = (*shelves.notes, *reader.notes, *_unheard(infotext))
    return Resolved(request, tuple(dict.fromkeys(notes)))


def _model(reader: Reader, shelves: Shelves, base: GenerationRequest) -> tuple[ModelRef, ModelFile | None]:
    name, digits = reader.text("Model"), reader.text("Model hash")
    found = shelves.checkpoint(name, digits)
    if found is None:
        if name or digits or any(entry.kind == "checkpoint" for entry in shelves.resources):
            named = " ".join(filter(None, (f"“{name[:80]}”" if name else "", f"[{digits[:12]}]" if digits else "")))
            shelves.notes.append(
                f"The model {named or 'of the text'} is not here; “{base.model.name}” painted instead."
            )
        found = find_checkpoint(shelves.inventory, base.model.name)
        if found is None:
            return base.model, None
    vae = shelves.vae(reader.text("VAE"), reader.text("VAE hash"), checkpoint=found, version=reader.text("Version"))
    return ModelRef(found.name, found.hash, vae), found


def _prompt(reader: Reader, shelves: Shelves, base: Prompt) -> Prompt:
    positive = reader.text("Prompt") + _old_networks(reader)
    positive = shelves.untagged_loras(shelves.loras(positive, _hashes(reader, shelves)))
    negative = reader.text("Negative prompt")
    for side in (positive, negative):
        if len(side) > MAX_PROMPT:
            reader.notes.append(f"A prompt of {len(side):,} characters was cut to {MAX_PROMPT:,}.")
    emphasis = reader.choice("Emphasis", ("Original", "No norm", "Ignore", "None"), "Original")
    pads = {"v0": reader.flag("Pad conds v0"), "empty": reader.flag("Pad conds")}
    return msgspec.structs.replace(
        base,
        positive=positive[:MAX_PROMPT],
        negative=negative[:MAX_PROMPT],
        clip_skip=reader.whole("Clip skip", 1, low=1, high=12),
        emphasis=emphasis,
        pad_conds=next((name for name, on in pads.items() if on), ""),
        old_timelines=reader.flag("Old prompt editing timelines"),
    )


def _hashes(reader: Reader, shelves: Shelves) -> dict[str, str]:
    return shelves.lora_hashes(reader.text("Lora hashes"))


def _old_networks(reader: Reader) -> str:
    """Tags for what the Additional Networks extension used; `complete` has made those of old hypernetworks."""
    tags: list[str] = []
    for number in range(1, 6):
        if reader.text(f"AddNet Module {number}") == "LoRA" and (name := reader.text(f"AddNet Model {number}")):
            bare = _ADDNET_NAME.fullmatch(name)
            weight = reader.text(f"AddNet Weight A {number}") or "1.0"
            tags.append(f"<lora:{name if bare is None else bare[1]}:{weight}>")
    return "\n" + "".join(tags) if tags else ""


def _canvas(reader: Reader, base: Canvas, checkpoint: ModelFile | None, *, same: bool) -> Canvas:
    size = reader.pair("Size")
    if size is None:
        return base if same or checkpoint is None else Canvas(checkpoint.native, checkpoint.native)
    sides = [min(max(side - side % SIZE_STEP, MIN_SIDE), MAX_SIDE) for side in size]
    if any(abs(side - said) >= SIZE_STEP for side, said in zip(sides, size, strict=True)):
        reader.notes.append(f"A picture of {size[0]} × {size[1]} cannot be painted; it became {sides[0]} × {sides[1]}.")
    return Canvas(*sides)


def _unheard(infotext: Infotext) -> list[str]:
    """Sentences for keys whose effect is missing, and one for all that are not known."""
    sentences: dict[str, None] = {}
    unknown: list[str] = []
    for key in sorted(infotext.said):
        missing = find_row(LEFT_OUT, key)
        if missing is not None:
            value = str(infotext.parameters.get(key, ""))
            if value.casefold() not in ("false", "disable", "none", "0", "0.0", ""):
                sentences[f"{missing.what}."] = None
        elif find_row(HONOURED, key) is None and find_row(WITHOUT_EFFECT, key) is None:
            unknown.append(key.strip()[:40])
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        sentences[f"Unknown settings were left out: {', '.join(unknown[:_SHOWN])}{more}."] = None
    return list(sentences)
