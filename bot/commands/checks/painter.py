"""The painter as it really starts: its device, the models that it finds, and the files that it cannot use.

Asks the worker itself, so that what is printed is what will paint. Refuses to know about settings beyond its own.
"""

from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.commands.checks.finding import Finding, fault, note, ok
from bot.settings import Settings
from bot.studio import painter_of
from inference.api.backend import Backend, BackendUnavailable
from inference.api.lookup import title
from inference.api.result import Inventory, ModelFile
from inference.api.wire import Ready

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.commands.checks.machine import Card

GIB = 2**30
LISTED = 12
"""Checkpoints that get a line each; more are counted."""
OTHERS = ("vaes", "loras", "embeddings", "upscalers", "hypernetworks", "controls", "annotators")


@asynccontextmanager
async def painter(settings: Settings) -> "AsyncGenerator[Backend]":
    """The painter that the settings ask for, not yet started; ended afterwards."""
    backend = painter_of(settings)
    try:
        yield backend
    finally:
        await backend.aclose()


async def ask_painter(settings: Settings) -> tuple[Ready | None, str]:
    """Start the painter and end it again. Returns what it said of itself, or None and why it could not start."""
    async with painter(settings) as backend:
        try:
            return await backend.start(), ""
        except BackendUnavailable as error:
            return None, str(error)


def painter_findings(ready: Ready | None, trouble: str, *, settings: Settings) -> tuple[Finding, ...]:
    """Whether it starts, on what, and with which models."""
    if ready is None:
        advice = "See “When the painter does not start” in docs/operating.md."
        return (fault("Painter", trouble, advice),)
    folder = settings.engine().roots[0]
    return (device_finding(ready), *model_findings(ready.inventory, folder=folder))


def device_finding(ready: Ready) -> Finding:
    """What paints."""
    device = ready.device
    if device.kind == "fake":
        return note(
            "Painter",
            "gradients instead of pictures",
            'That is backend = "fake" in [inference] of config.toml; set "local" to paint.',
        )
    return ok("Painter", f"{device.name}, {device.memory / GIB:.1f} GiB for models, computes in {device.dtype}")


def unused_card_findings(ready: Ready | None, cards: "Sequence[Card]", *, settings: Settings) -> tuple[Finding, ...]:
    """A card that the driver knows and torch does not use, although it may."""
    if ready is None or not cards or ready.device.kind != "cpu" or settings.inference.device == "cpu":
        return ()
    advice = (
        "Update NVIDIA's driver. If that does not help, delete the folder .venv and start `python run.py` again, "
        "so that torch is installed for the card."
    )
    return (note("Painter", f"paints on the CPU although there is an {cards[0].name}", advice),)


def model_findings(inventory: Inventory, *, folder: str) -> tuple[Finding, ...]:
    """A line for each checkpoint, one for the rest, and one for each file that cannot be used."""
    checkpoints = [ok("Model", describe(file)) for file in inventory.checkpoints[:LISTED]]
    if not checkpoints:
        advice = f"Put a .safetensors file into {folder}/Stable-diffusion, or name your folder in extra_models."
        checkpoints = [fault("Model", "no checkpoint was found", advice)]
    if more := len(inventory.checkpoints) - LISTED if len(inventory.checkpoints) > LISTED else 0:
        checkpoints.append(ok("Model", f"{more} more checkpoints; `python run.py models` lists all"))
    counts = {kind: len(getattr(inventory, kind)) for kind in OTHERS}
    listed = ", ".join(f"{count} {kind if count > 1 else kind[:-1]}" for kind, count in counts.items() if count)
    others = [ok("Other files", listed)] if listed else []
    problems = [
        note("Unusable", f"{problem.path}: {problem.sentence}", "Mend, move or delete it; the rest is used without it.")
        for problem in inventory.problems
    ]
    return (*checkpoints, *others, *problems)


def describe(file: ModelFile) -> str:
    """A checkpoint in a line."""
    return f"{title(file)}: {file.family}, made for {file.native} px"
