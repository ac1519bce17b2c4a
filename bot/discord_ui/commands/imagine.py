"""/imagine: paint a picture from words. Owns its options and what is suggested while they are filled in."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui import options
from bot.discord_ui.commands.said import said
from bot.discord_ui.completing import completer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.imagining import imagine as paint
from bot.discord_ui.options import Suggestion
from bot.discord_ui.wishes import styles_of
from bot.requests.drafts import ImagineDraft
from inference.api.catalog import ASPECTS

_SHAPES: Final = [app_commands.Choice(name=row.label, value=row.id) for row in ASPECTS]
_HELP: Final = {
    **said(
        "negative",
        "style",
        "aspect",
        "count",
        "model",
        "lora",
        "seed",
        "steps",
        "cfg",
        "sampler",
        "init_image",
        "strength",
        "private",
    ),
    "prompt": "What to paint. (word:1.3) pulls harder, {a|b} chooses, {a, b} paints both, --ar 3:2",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /imagine."""

    @tree.command(name="imagine", description="Paint a picture from words")
    @app_commands.describe(**_HELP)
    @app_commands.choices(aspect=_SHAPES)
    async def imagine(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        prompt: str,
        negative: str | None = None,
        style: str | None = None,
        aspect: str | None = None,
        count: app_commands.Range[int, 1, 4] | None = None,
        model: str | None = None,
        lora: str | None = None,
        seed: str | None = None,
        steps: int | None = None,
        cfg: float | None = None,
        sampler: str | None = None,
        init_image: discord.Attachment | None = None,
        strength: float | None = None,
        private: bool = False,
    ) -> None:
        draft = ImagineDraft(
            prompt=prompt,
            negative=negative,
            style=style,
            aspect=aspect,
            count=count,
            model=model,
            lora=lora,
            seed=seed,
            steps=steps,
            cfg=cfg,
            sampler=sampler,
            strength=strength,
            private=private,
        )
        await paint(desk, interaction, draft, start=init_image, private=private)

    for option in ("prompt", "negative"):
        imagine.autocomplete(option)(completer(desk))
    for option in ("style", "model", "lora", "seed", "sampler"):
        imagine.autocomplete(option)(_completer(desk, SUGGESTIONS[option]))


Suggest = Callable[[Desk, Asked, str], Awaitable[tuple[Suggestion, ...]]]
"""What is suggested for what has been typed into an option."""


async def _models(desk: Desk, asked: Asked, typed: str) -> tuple[Suggestion, ...]:
    del asked
    desk.look()  # a file that is new is suggested a moment later
    return options.models(desk.shelf(), typed)


async def _loras(desk: Desk, asked: Asked, typed: str) -> tuple[Suggestion, ...]:
    del asked
    desk.look()  # a file that is new is suggested a moment later
    return options.loras(desk.shelf(), typed)


async def _samplers(desk: Desk, asked: Asked, typed: str) -> tuple[Suggestion, ...]:
    del desk, asked
    return options.samplers(typed)


async def _styles(desk: Desk, asked: Asked, typed: str) -> tuple[Suggestion, ...]:
    return options.styles(await styles_of(desk, asked.user.id, asked.guild_id), typed)


async def _seeds(desk: Desk, asked: Asked, typed: str) -> tuple[Suggestion, ...]:
    saved = await desk.db.seeds.of(asked.user.id)
    return options.names(("random", *(each.name for each in saved)), typed)


async def _faces(desk: Desk, asked: Asked, typed: str) -> tuple[Suggestion, ...]:
    del asked
    desk.look()  # a file that is new is suggested a moment later
    return options.restorers(desk.shelf(), typed)


SUGGESTIONS: Final[Mapping[str, Suggest]] = {
    "model": _models,
    "lora": _loras,
    "sampler": _samplers,
    "style": _styles,
    "seed": _seeds,
    "faces": _faces,
}


def _completer(
    desk: Desk, suggest: Suggest
) -> Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        return [
            app_commands.Choice(name=each.name, value=each.value) for each in await suggest(desk, interaction, typed)
        ]

    return complete
