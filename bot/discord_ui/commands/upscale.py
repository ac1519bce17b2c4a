"""/upscale: a picture made larger, by an upscaler alone or painted over tile by tile. Owns its options."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, get_args

import discord
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.commands.imagine import SUGGESTIONS
from bot.discord_ui.completing import completer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.enlarging import enlarge_wish, original_from
from bot.requests.edit import Edit
from bot.requests.enlarging import METHODS, SEAMS, EnlargeDraft, Method, Order

_METHODS: Final = [app_commands.Choice(name=label, value=value) for value, label, _ in METHODS]
_SEAMS: Final = [app_commands.Choice(name=label, value=value) for value, label in SEAMS]
_ORDERS: Final = [
    app_commands.Choice(name="row after row", value="linear"),
    app_commands.Choice(name="chess", value="chess"),
]
_HELP: Final = {
    "picture": "The picture; of one that moves the first frame",
    "upscaler": "What enlarges it; type to find one of many",
    "factor": "How many times larger, 1 to 8; redrawn up to 16. 2 where nothing is said",
    "size": "Or pixels to fit into: 2048x2048",
    "crop": "Fill that size, and cut off what stands over",
    "second": "A second upscaler, blended over the first",
    "visibility": "How much of the second is seen, 0 to 1",
    "method": "Enlarge only, or paint it over tile by tile",
    "prompt": "For tiles: what it shows. Its own prompt where it carries one",
    "negative": "For tiles: what to keep out",
    "strength": "For tiles: how far to leave what is there, 0 to 1; 0.35 where nothing is said",
    "tile": "For tiles: pixels of a side, 64 to 2048; as the model was trained for",
    "padding": "For tiles: pixels around a tile that are seen, 32",
    "blur": "For tiles: how softly a tile ends, in pixels, 8",
    "overlap": "For SD upscale: pixels that tiles share, 64",
    "order": "For tiles: which comes after which",
    "seams": "For tiles: what is done where they meet",
    "model": "For tiles: the checkpoint to paint with; the picture's own where it is here",
    "seed": "For tiles: a number, a saved seed, or random; the picture's own",
    "steps": "For tiles: how long to paint",
    "faces": "Mend them after: on, a restorer's name, or for tiles repaint, 0.4",
    "private": "Answer by direct message",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /upscale."""

    @tree.command(name="upscale", description="Make a picture larger")
    @app_commands.describe(**_HELP)
    @app_commands.choices(method=_METHODS, seams=_SEAMS, order=_ORDERS)
    async def upscale(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        picture: discord.Attachment,
        upscaler: str | None = None,
        factor: float | None = None,
        size: str | None = None,
        crop: bool = False,
        second: str | None = None,
        visibility: float | None = None,
        method: str = "enlarge",
        prompt: str | None = None,
        negative: str | None = None,
        strength: float | None = None,
        tile: int | None = None,
        padding: int | None = None,
        blur: int | None = None,
        overlap: int | None = None,
        order: str = "linear",
        seams: str = "none",
        model: str | None = None,
        seed: str | None = None,
        steps: int | None = None,
        faces: str | None = None,
        private: bool = False,
    ) -> None:
        draft = EnlargeDraft(
            upscaler=upscaler,
            factor=factor,
            size=size,
            crop=crop,
            second=second,
            visibility=visibility,
            method=next((each for each in get_args(Method) if each == method), "enlarge"),
            strength=strength,
            tile=tile,
            padding=padding,
            blur=blur,
            overlap=overlap,
            faces=faces,
            order=next((each for each in get_args(Order) if each == order), "linear"),
            seams=seams,
        )
        person = interaction.user.id
        changes = Edit(
            prompt="" if prompt is None else desk.prompts.whole(prompt, person),
            negative=None if negative is None else desk.prompts.whole(negative, person),
            model=model,
            seed=seed,
            steps=steps,
        )
        await ask(desk, interaction, _wish(desk, interaction, draft, changes, picture), private=private)

    for option in ("prompt", "negative"):
        upscale.autocomplete(option)(completer(desk))
    for option in ("upscaler", "second", "model", "seed", "faces"):
        upscale.autocomplete(option)(_completer(desk, option))


async def _wish(
    desk: Desk, interaction: Asked, draft: EnlargeDraft, changes: Edit, picture: discord.Attachment
) -> Wish:
    original = await original_from(desk, picture)
    person, guild = interaction.user.id, interaction.guild_id
    return await enlarge_wish(desk, draft, changes, original, person=person, guild=guild)


def _completer(desk: Desk, option: str) -> Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        if option in SUGGESTIONS:
            found = await SUGGESTIONS[option](desk, interaction, typed)
        else:
            desk.look()  # a file that is new is suggested a moment later
            found = options.upscalers(desk.shelf(), typed)
        return [app_commands.Choice(name=each.name, value=each.value) for each in found]

    return complete
