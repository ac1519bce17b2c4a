"""What is suggested while somebody fills in an axis: the axes, and values that fit the axis that was chosen.

Owns which list belongs to which axis. From memory alone but for styles: an autocomplete cannot be deferred.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from discord import app_commands

from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.options import LENGTH, LIMIT, Suggestion
from bot.discord_ui.wishes import names_of
from bot.requests.plots.axes import AxisRow, offered
from bot.requests.plots.changes import UPSCALER_LABELS
from inference.api.catalog import SAMPLERS, SCHEDULES

Complete = Callable[[Asked, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]
Names = Callable[[Desk, Asked], Awaitable[Iterable[str]]]


def axes(desk: Desk) -> Complete:
    """Axes by their labels; those for what the command begins from."""
    del desk

    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        img = getattr(interaction.namespace, "init_image", None) is not None
        rows = offered(img=img)
        return [app_commands.Choice(name=_shown(row), value=row.label) for row in rows if _fits(row.label, typed)][
            :LIMIT
        ]

    return complete


def values(desk: Desk, *, axis: str) -> Complete:
    """Values of the axis that the option `axis` names: what stands before the last comma is kept."""

    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        said = str(getattr(interaction.namespace, axis, None) or "").strip().casefold()
        row = next((row for row in offered() if row.id == said), None)
        if row is None:
            return []
        if row.choices:
            return _listed(await NAMES[row.choices](desk, interaction), typed)
        examples = [typed, row.hint] if typed.strip() else [row.hint]
        return [app_commands.Choice(name=each, value=each) for each in examples if 0 < len(each) <= LENGTH]

    return complete


def completing(desk: Desk, suggest: Callable[[Desk, Asked, str], Awaitable[tuple[Suggestion, ...]]]) -> Complete:
    """What `suggest` offers, as discord.py wants it."""

    async def complete(interaction: Asked, typed: str) -> list[app_commands.Choice[str]]:
        found = await suggest(desk, interaction, typed)
        return [app_commands.Choice(name=each.name, value=each.value) for each in found]

    return complete


def _listed(names: Iterable[str], typed: str) -> list[app_commands.Choice[str]]:
    before, comma, last = typed.rpartition(",")
    kept = f"{before.strip()}, " if comma else ""
    given = {part.strip().strip('"').casefold() for part in before.split(",")}
    found = [name for name in names if name.casefold() not in given and _fits(name, last.strip().strip('"'))]
    found.sort(key=lambda name: not name.casefold().startswith(last.strip().casefold()))
    whole = [kept + _quoted(name) for name in found]
    # as it stands, so that a list that is finished can be sent
    done = [typed.strip()] if comma and not last.strip() else []
    lines = [each for each in (*done, *whole) if 0 < len(each) <= LENGTH]
    return [app_commands.Choice(name=each, value=each) for each in dict.fromkeys(lines)][:LIMIT]


def _quoted(name: str) -> str:
    if "," not in name and '"' not in name:
        return name
    inner = name.replace('"', '""')
    return f'"{inner}"'


def _fits(name: str, typed: str) -> bool:
    return all(word in name.casefold() for word in typed.casefold().split())


def _shown(row: AxisRow) -> str:
    return f"{row.label} · {row.hint}"[:LENGTH] if row.hint else row.label


async def _samplers(desk: Desk, asked: Asked) -> Iterable[str]:
    del desk, asked
    return [row.label for row in SAMPLERS]


async def _schedules(desk: Desk, asked: Asked) -> Iterable[str]:
    del desk, asked
    return [row.label for row in SCHEDULES]


async def _models(desk: Desk, asked: Asked) -> Iterable[str]:
    del asked
    desk.look()  # a file that is new is suggested a moment later
    return [info.name for info in desk.shelf().checkpoints]


async def _refiners(desk: Desk, asked: Asked) -> Iterable[str]:
    return ["none", *await _models(desk, asked)]


async def _vaes(desk: Desk, asked: Asked) -> Iterable[str]:
    del asked
    desk.look()
    return ["auto", "none", *(info.name for info in desk.shelf().vaes)]


async def _loras(desk: Desk, asked: Asked) -> Iterable[str]:
    del asked
    desk.look()
    return ["none", *(info.name for info in desk.shelf().loras)]


async def _upscalers(desk: Desk, asked: Asked) -> Iterable[str]:
    del asked
    desk.look()
    return [*UPSCALER_LABELS, *(info.name for info in desk.shelf().upscalers)]


async def _styles(desk: Desk, asked: Asked) -> Iterable[str]:
    return (await names_of(desk, asked.user.id, asked.guild_id)).styles


async def _switch(desk: Desk, asked: Asked) -> Iterable[str]:
    del desk, asked
    return ["True", "False"]


async def _noise(desk: Desk, asked: Asked) -> Iterable[str]:
    del desk, asked
    return ["GPU", "CPU", "NV"]


NAMES: Final[Mapping[str, Names]] = {
    "samplers": _samplers,
    "schedules": _schedules,
    "models": _models,
    "refiners": _refiners,
    "vaes": _vaes,
    "loras": _loras,
    "upscalers": _upscalers,
    "styles": _styles,
    "switch": _switch,
    "noise": _noise,
}
