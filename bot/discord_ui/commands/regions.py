"""/regions: words for places of one picture. Owns its options; the card that it answers with is `presses.places`."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec
from discord import app_commands

from bot.discord_ui.answers import answer
from bot.discord_ui.asides import aside
from bot.discord_ui.commands.imagine import SUGGESTIONS
from bot.discord_ui.commands.said import said
from bot.discord_ui.completing import completer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import PLACES
from bot.discord_ui.presses.places import BENCH, DRAFT, card_of
from bot.requests.drafts import ImagineDraft
from inference.api.catalog import ASPECTS

_SHAPES: Final = [app_commands.Choice(name=row.label, value=row.id) for row in ASPECTS]
_HELP: Final = {
    **said("negative", "style", "aspect", "count", "model", "lora", "seed", "steps", "cfg", "sampler", "private"),
    "left": "What to paint on the left",
    "right": "What to paint on the right",
    "middle": "What to paint in the middle",
    "top": "What to paint at the top",
    "bottom": "What to paint at the bottom",
    "everywhere": "What the whole picture is about: place, light, manner",
    "places": "All of it as text: left: a red cat | top right: the moon | a1-b2: a tower | everywhere: night",
    "feather": "Pixels over which borders are soft, 0 to 512; 0 cuts. Without it a sixteenth of the picture",
    "faces": "Mend them at the end: on, off, a restorer's name, or repaint, 0.4",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /regions."""

    @tree.command(
        name="regions", description="Paint a picture with words for its parts: left, right, any of nine cells"
    )
    @app_commands.describe(**_HELP)
    @app_commands.choices(aspect=_SHAPES)
    async def regions(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        left: str | None = None,
        right: str | None = None,
        middle: str | None = None,
        top: str | None = None,
        bottom: str | None = None,
        everywhere: str | None = None,
        places: str | None = None,
        feather: app_commands.Range[int, 0, 512] | None = None,
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
        faces: str | None = None,
        private: bool = False,
    ) -> None:
        draft = ImagineDraft(
            negative=negative and desk.prompts.whole(negative, interaction.user.id),
            style=style,
            aspect=aspect,
            count=count,
            model=model,
            lora=lora,
            seed=seed,
            steps=steps,
            cfg=cfg,
            sampler=sampler,
            faces=faces,
            feather=feather,
            private=private,
        )
        sides = {"left": left, "middle": middle, "right": right, "top": top, "bottom": bottom, "everywhere": everywhere}
        await _open(desk, interaction, draft, sides=sides, places=places or "")

    for option in ("left", "right", "middle", "top", "bottom", "everywhere", "negative"):
        regions.autocomplete(option)(completer(desk))
    for option in ("model", "lora", "sampler", "style", "seed", "faces"):
        regions.autocomplete(option)(_completer(desk, option))


async def _open(
    desk: Desk, interaction: Asked, draft: ImagineDraft, *, sides: Mapping[str, str | None], places: str
) -> None:
    """The card with the map, for the person alone; it waits on a bench."""
    person = interaction.user.id
    said = [f"{name}: {desk.prompts.whole(words, person)}" for name, words in sides.items() if words]
    text = " | ".join([*said, *([places.strip()] if places.strip() else [])])
    async with aside(interaction):
        words = {PLACES: text, DRAFT: msgspec.json.encode(draft).decode()}
        bench = await desk.db.benches.add(person=person, kind=BENCH, said=words, now=desk.now())
        await answer(interaction, await card_of(bench))


def _completer(desk: Desk, option: str) -> Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        found = await SUGGESTIONS[option](desk, interaction, typed)
        return [app_commands.Choice(name=each.name, value=each.value) for each in found]

    return complete
