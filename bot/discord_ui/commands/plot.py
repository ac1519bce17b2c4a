"""/plot, /matrix and /prompts: many pictures that differ in what is compared. Owns their options and what is suggested."""

from typing import Any, Final

import discord
from discord import app_commands

from bot.discord_ui.commands.imagine import SUGGESTIONS
from bot.discord_ui.commands.said import said
from bot.discord_ui.completing import completer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.series.offering import offer
from bot.discord_ui.series.plotting import (
    Asker,
    FileDraft,
    MatrixDraft,
    PlotDraft,
    plot,
    prompt_matrix,
    prompts_from,
)
from bot.discord_ui.series.suggesting import axes, completing, values
from bot.discord_ui.wishes import one_job
from bot.requests.drafts import ImagineDraft
from inference.api.catalog import ASPECTS

_SHAPES: Final = [app_commands.Choice(name=row.label, value=row.id) for row in ASPECTS]
_VARY: Final = [
    app_commands.Choice(name=f"along {each}", value=each) for each in ("x", "y", "z", "x y", "x z", "y z", "x y z")
]
_PARTS: Final = [
    app_commands.Choice(name="the prompt", value="prompt"),
    app_commands.Choice(name="the negative prompt", value="negative"),
]
_DELIMITERS: Final = [app_commands.Choice(name=each, value=each) for each in ("comma", "space")]
_POSITIONS: Final = [
    app_commands.Choice(name="the line first", value="start"),
    app_commands.Choice(name="the line last", value="end"),
]
_COMMON: Final = {
    **said("model", "lora", "seed", "steps", "cfg", "sampler", "private"),
    "negative": "What to keep out of the pictures",
    "style": "Your styles, or the server's",
    "aspect": "Shape of the pictures",
}
_PLOT_HELP: Final = {
    **_COMMON,
    **said("init_image", "strength"),
    "prompt": "What to paint",
    "x_axis": "What differs from column to column",
    "x_values": "Values: 20, 30 or 10-40 (+10) or 10-40 [4]; commas part them, quotes keep them",
    "y_axis": "What differs from row to row",
    "y_values": "Values, as for X",
    "z_axis": "What differs from grid to grid",
    "z_values": "Values, as for X",
    "hires": "Hires fix: how many times larger, 1 to 4",
    "vary_seeds": "Another seed for each value of an axis",
    "keep_random": "Draw a seed of -1 anew for each cell",
    "legend": "Write the values beside the grid; they are unless this says no",
}
_MATRIX_HELP: Final = {
    **_COMMON,
    "prompt": "The parts: a cat|red hat|blue scarf",
    "parts_of": "Which text is in parts",
    "delimiter": "What joins the parts",
    "at_start": "Put the parts before the first",
    "different_seeds": "Another seed for each picture",
    "legend": "Write the parts beside the grid; they are unless this says no",
}
_FILE_HELP: Final = {
    **_COMMON,
    "file": 'A text: one prompt a line, or lines such as --prompt "a cat" --steps 30',
    "prompt": "Words for every line",
    "position": "Where a line's words go",
    "advance_seed": "Another seed for each line",
}


def register(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    """Add /plot, /matrix and /prompts."""
    _register_plot(tree, desk)
    _register_matrix(tree, desk)
    _register_prompts(tree, desk)


def _register_plot(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    @tree.command(name="plot", description="Compare: a grid of pictures along up to three axes")
    @app_commands.describe(**_PLOT_HELP)
    @app_commands.choices(aspect=_SHAPES, vary_seeds=_VARY)
    async def plot_command(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        prompt: str,
        x_axis: str,
        x_values: str,
        y_axis: str | None = None,
        y_values: str | None = None,
        z_axis: str | None = None,
        z_values: str | None = None,
        negative: str | None = None,
        style: str | None = None,
        aspect: str | None = None,
        model: str | None = None,
        lora: str | None = None,
        seed: str | None = None,
        steps: int | None = None,
        cfg: float | None = None,
        sampler: str | None = None,
        init_image: discord.Attachment | None = None,
        strength: float | None = None,
        hires: app_commands.Range[float, 1, 4] | None = None,
        vary_seeds: str = "",
        keep_random: bool = False,
        legend: bool = True,
        private: bool = False,
    ) -> None:
        draft = _draft(desk, locals())
        wanted = PlotDraft(
            draft=draft,
            typed=((x_axis, x_values), (y_axis, y_values), (z_axis, z_values)),
            vary=("x" in vary_seeds, "y" in vary_seeds, "z" in vary_seeds),
            keep_random=keep_random,
            legend=legend,
            hires=hires,
        )
        made = plot(desk, _asker(interaction), wanted, start=init_image)
        await offer(desk, interaction, made, private=private)

    _suggest(plot_command, desk)
    for name in "xyz":
        plot_command.autocomplete(f"{name}_axis")(axes(desk))
        plot_command.autocomplete(f"{name}_values")(values(desk, axis=f"{name}_axis"))


def _register_matrix(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    @tree.command(name="matrix", description="Every combination of the parts of a prompt: a cat|red hat|blue scarf")
    @app_commands.describe(**_MATRIX_HELP)
    @app_commands.choices(aspect=_SHAPES, parts_of=_PARTS, delimiter=_DELIMITERS)
    async def matrix_command(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        prompt: str,
        parts_of: str = "prompt",
        delimiter: str = "comma",
        at_start: bool = False,
        different_seeds: bool = False,
        negative: str | None = None,
        style: str | None = None,
        aspect: str | None = None,
        model: str | None = None,
        lora: str | None = None,
        seed: str | None = None,
        steps: int | None = None,
        cfg: float | None = None,
        sampler: str | None = None,
        legend: bool = True,
        private: bool = False,
    ) -> None:
        wanted = MatrixDraft(
            draft=_draft(desk, locals()),
            negative=parts_of == "negative",
            delimiter="space" if delimiter == "space" else "comma",
            at_start=at_start,
            different_seeds=different_seeds,
            legend=legend,
        )
        await offer(desk, interaction, prompt_matrix(desk, _asker(interaction), wanted), private=private)

    _suggest(matrix_command, desk)


def _register_prompts(tree: app_commands.CommandTree[Any], desk: Desk) -> None:
    @tree.command(name="prompts", description="Paint every prompt of a text file")
    @app_commands.describe(**_FILE_HELP)
    @app_commands.choices(aspect=_SHAPES, position=_POSITIONS)
    async def prompts_command(  # noqa: PLR0917 - a command's options are its arguments
        interaction: Asked,
        file: discord.Attachment,
        prompt: str = "",
        position: str = "start",
        advance_seed: bool = False,
        negative: str | None = None,
        style: str | None = None,
        aspect: str | None = None,
        model: str | None = None,
        lora: str | None = None,
        seed: str | None = None,
        steps: int | None = None,
        cfg: float | None = None,
        sampler: str | None = None,
        private: bool = False,
    ) -> None:
        wanted = FileDraft(
            draft=_draft(desk, locals()), position="end" if position == "end" else "start", advance=advance_seed
        )
        made = prompts_from(desk, _asker(interaction), wanted, file=file)
        await offer(desk, interaction, made, private=private)

    _suggest(prompts_command, desk)


def _asker(interaction: Asked) -> Asker:
    return Asker(interaction.user.id, interaction.guild_id)


def _draft(desk: Desk, options: dict[str, Any]) -> ImagineDraft:
    """What a command's options, and flags in its prompt, say of each picture; others are left out. Raises RequestRefused."""
    draft = ImagineDraft(**{name: options[name] for name in ImagineDraft.__struct_fields__ if name in options})
    return one_job(desk, draft, person=options["interaction"].user.id)


def _suggest(command: app_commands.Command[Any, ..., Any], desk: Desk) -> None:
    for option, suggest in SUGGESTIONS.items():
        if any(parameter.name == option for parameter in command.parameters):
            command.autocomplete(option)(completing(desk, suggest))
    for option in ("prompt", "negative"):
        if any(parameter.name == option for parameter in command.parameters):
            command.autocomplete(option)(completer(desk))
