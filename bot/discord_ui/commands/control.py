"""/control: paint a picture that follows another one's edges, depth, pose or lines. Owns its options and what is suggested.

Nothing is painted before the map has been looked at.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.asides import aside
from bot.discord_ui.commands.imagine import SUGGESTIONS
from bot.discord_ui.commands.said import said
from bot.discord_ui.completing import completer
from bot.discord_ui.control.beginning import admitted, start
from bot.discord_ui.control.sheets import Brought
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.options import Suggestion
from bot.discord_ui.uploads import fetch_picture
from bot.errors import Unknown
from bot.requests.controls import FAMILIES, KINDS, MODES, RESIZES, Wanted, controls_for, fits, follows, kind_named
from bot.requests.drafts import ImagineDraft
from bot.requests.places import SIDES, boxes_named
from inference.api.catalog import ASPECTS
from inference.api.lookup import find_checkpoint
from inference.api.preprocessors import PreprocessorRow, usable
from inference.api.result import Inventory, ModelFile

_SHAPES: Final = [app_commands.Choice(name=row.label, value=row.id) for row in ASPECTS]
_MODES: Final = [app_commands.Choice(name=label, value=mode) for mode, label in MODES.items()]
_RESIZES: Final = [app_commands.Choice(name=label, value=number) for number, label in enumerate(RESIZES)]
_HELP: Final = {
    **said("negative", "style", "seed", "count", "private"),
    "picture": "The picture to follow",
    "prompt": "What to paint",
    "kind": "What of the picture is followed: its edges, depth, pose, lines; none for a map that is ready",
    "model": "The ControlNet that follows it",
    "weight": "How strongly it is followed, 0 to 2",
    "start": "From which share of the steps on, 0 to 1",
    "end": "Up to which share of the steps, 0 to 1",
    "mode": "What counts more where picture and words disagree",
    "resize": "How a picture of another shape is fitted to the canvas",
    "where": "The only part of the picture that it steers: left, top right, a1-b2",
    "pixel_perfect": "Make the map at the size of the canvas",
    "resolution": "The map's short side in pixels, 64 to 4096",
    "threshold_a": "The kind's first slider: for Canny the low threshold",
    "threshold_b": "The kind's second slider: for Canny the high threshold",
    "aspect": "Shape of the picture; without it that of the picture to follow",
    "checkpoint": "Checkpoint to paint with",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /control."""

    @tree.command(name="control", description="Paint a picture that follows another one's edges, depth, pose or lines")
    @app_commands.describe(**_HELP)
    @app_commands.choices(aspect=_SHAPES, mode=_MODES)
    @app_commands.choices(resize=_RESIZES)
    async def control(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        picture: discord.Attachment,
        prompt: str,
        kind: str | None = None,
        model: str | None = None,
        weight: float = 1.0,
        start: float = 0.0,
        end: float = 1.0,
        mode: str = "balanced",
        resize: int = 1,
        where: str | None = None,
        pixel_perfect: bool = False,
        resolution: int | None = None,
        threshold_a: float | None = None,
        threshold_b: float | None = None,
        negative: str | None = None,
        style: str | None = None,
        aspect: str | None = None,
        seed: str | None = None,
        count: app_commands.Range[int, 1, 4] | None = None,
        checkpoint: str | None = None,
        private: bool = False,
    ) -> None:
        whole = desk.prompts.whole
        draft = ImagineDraft(
            prompt=whole(prompt, interaction.user.id),
            negative=negative and whole(negative, interaction.user.id),
            style=style,
            aspect=aspect,
            seed=seed,
            count=count,
            model=checkpoint,
            private=private,
        )
        wanted = Wanted(
            kind=kind or "",
            model=model or "",
            weight=weight,
            start=start,
            end=end,
            mode=mode,
            resize_mode=resize,
            pixel_perfect=pixel_perfect,
            resolution=resolution or 0,
            low=threshold_a,
            high=threshold_b,
        )
        await _look(desk, interaction, draft, wanted, picture=picture, where=where or "")

    for option in ("prompt", "negative"):
        control.autocomplete(option)(completer(desk))
    for option, name in (("style", "style"), ("seed", "seed"), ("checkpoint", "model")):
        control.autocomplete(option)(_usual(desk, name))
    control.autocomplete("kind")(_kinds(desk))
    control.autocomplete("where")(_places)
    control.autocomplete("model")(_models(desk))


async def _look(
    desk: Desk, interaction: Asked, draft: ImagineDraft, wanted: Wanted, *, picture: discord.Attachment, where: str
) -> None:
    """The map, on a card for the person alone."""
    async with aside(interaction):
        await admitted(desk, interaction)
        named = where.strip() if boxes_named(where) else ""
        upload = await fetch_picture(picture, desk.settings.limits)
        await start(desk, interaction, draft, Brought(upload=upload, name=picture.filename[:80], where=named), wanted)


async def _places(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
    """The sides; cells and several of them are typed."""
    del interaction
    return _choices(options.ranked((Suggestion(side, side) for side in SIDES), typed))


Complete = Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def _usual(desk: Desk, option: str) -> Complete:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        return _choices(await SUGGESTIONS[option](desk, interaction, typed))

    return complete


def _kinds(desk: Desk) -> Complete:
    """Kinds that can be made here, those first that a ControlNet here follows."""

    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        del interaction
        desk.look()  # a file that is new is suggested a moment later
        shelf = desk.shelf()
        return _choices(options.ranked((_kind(row, shelf) for row in sorted(KINDS, key=_order(shelf))), typed))

    return complete


def _models(desk: Desk) -> Complete:
    """ControlNets, those first that follow the chosen kind and fit the chosen checkpoint; what does not fit says so."""

    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        desk.look()
        shelf, palette = desk.shelf(), await desk.db.palettes.get(interaction.user.id)
        wanted = str(getattr(interaction.namespace, "checkpoint", "") or "")
        paints = find_checkpoint(shelf, wanted or palette.hash or palette.model or desk.settings.generation.model)
        paints = paints or next(iter(shelf.checkpoints), None)
        row = _row(str(getattr(interaction.namespace, "kind", "") or ""))
        fitting = shelf.controls if row is None else controls_for(row, paints, shelf)
        files = dict.fromkeys((*(info for info in fitting if fits(info, paints)), *shelf.controls))
        return _choices(options.ranked((_model(info, row, paints) for info in files), typed))

    return complete


def _row(kind: str) -> PreprocessorRow | None:
    try:
        return kind_named(kind) if kind.strip() else None
    except Unknown:
        return None


def _order(shelf: Inventory) -> Callable[[PreprocessorRow], int]:
    """What can be made and is followed by a file here comes first, what lacks its network last."""

    def place(row: PreprocessorRow) -> int:
        if not usable((row,), shelf):
            return 2
        return 0 if any(follows(info, row) for info in shelf.controls) else 1

    return place


def _kind(row: PreprocessorRow, shelf: Inventory) -> Suggestion:
    missing = "" if usable((row,), shelf) else " · its network is not here"
    followed = next((info.name for info in shelf.controls if follows(info, row)), "")
    by = f" · {followed}" if followed and not missing else ""
    return Suggestion(f"{row.label}{by}{missing}"[: options.LENGTH], row.id)


def _model(info: ModelFile, row: PreprocessorRow | None, paints: ModelFile | None) -> Suggestion:
    family = FAMILIES.get(info.family, "")
    told = [f" · {family}"] if family else []
    if not fits(info, paints) and paints is not None:
        told.append(f" · does not fit {FAMILIES.get(paints.family, 'the checkpoint')}")
    elif row is not None and row.controls and not follows(info, row):
        told.append(f" · not for {row.label}")
    rest = "".join(told)
    value = info.name if len(info.name) <= options.LENGTH else info.hash
    return Suggestion(f"{info.name[: options.LENGTH - len(rest)]}{rest}", value)


def _choices(found: Iterable[Suggestion]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=each.name, value=each.value) for each in found]
