"""Our loopback Discord and simcord, which others wrote, show a person the same: the same bot, played on both, scene by scene."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from difflib import unified_diff
from pathlib import Path

import pytest
import simcord

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Person
from bot.studio import studio
from inference.client.clock import HandClock
from inference.client.fake import FakeBackend
from tests.e2e.easel import Studio, button_of, parts_of, settings_in
from tests.e2e.stages import Json, LoopbackStage, SimcordStage, Stage, transcript

Scene = Callable[[Stage], Awaitable[Sequence[Json | list[str] | int]]]
APPLE = {"prompt": "a *red* apple, @everyone", "seed": "7"}


async def painted(stage: Stage) -> Sequence[Json | list[str] | int]:
    """/imagine, a picture taken out, its parameters, a star, the Apps menu, a variation, and its card removed."""
    await stage.slash("imagine", **APPLE)
    card = await stage.result()
    single = await stage.click(card, button_of(card, Action.SINGLE, 1))
    about = await stage.click(card, button_of(card, Action.INFO))
    starred = await stage.click(card, button_of(card, Action.STAR))
    read = await stage.apps(single, "Image info")
    remix = await stage.apps(single, "Remix")
    await stage.click(single, button_of(single, Action.VARY_SUBTLE))
    varied = await stage.result(after=single)
    before = stage.seen()
    await stage.click(varied, button_of(varied, Action.DELETE))
    assert await stage.gone(varied)
    return [card, single, about, starred, read, remix, varied, before - stage.seen()]


async def filled_in(stage: Stage) -> Sequence[Json | list[str] | int]:
    """The form, sent with a prompt; then what a finished card opens behind ✏️."""
    form = await stage.slash("form")
    await stage.submit({"prompt": "a blue house"})
    card = await stage.result()
    edit = await stage.click(card, button_of(card, Action.EDIT))
    await stage.submit({"prompt": "a green house"})
    return [form, card, edit, await stage.result(after=card)]


async def suggested(stage: Stage) -> Sequence[Json | list[str] | int]:
    """Suggestions for samplers, models and seeds while typing."""
    await stage.slash("seed save", name="fox", seed=12345)
    typed = (("sampler", "eul"), ("sampler", ""), ("model", ""), ("seed", "f"), ("style", "x"), ("lora", ""))
    return [await stage.suggested("imagine", option, text) for option, text in typed]


async def read(stage: Stage) -> Sequence[Json | list[str] | int]:
    """/help by its menu and its pages; empty lists; refusals."""
    card = await stage.slash("help")
    (menu,) = (part["custom_id"] for part in parts_of(card) if part["type"] == 3)
    plots = await stage.select(card, menu, ["plots"])
    onward = next(part["custom_id"] for part in parts_of(plots) if part.get("label") == "Next")
    second = await stage.click(plots, onward)
    lists = [await stage.slash(name) for name in ("queue", "gallery open", "style list", "seed list", "wildcards")]
    wrong: tuple[dict[str, object], ...] = (
        {"steps": 100_000},
        {"model": "nowhere"},
        {"cfg": 99.0},
        {"seed": "no such seed"},
    )
    refusals = [await stage.slash("imagine", prompt="an apple", **each) for each in wrong]
    return [card, plots, second, *lists, *refusals]


async def kept(stage: Stage) -> Sequence[Json | list[str] | int]:
    """A style saved, listed, shown and used; a seed saved, listed, used and deleted; the gallery with a picture in it."""
    said = [await stage.slash("style save", name="ink", prompt="{prompt}, in ink", negative="blurry")]
    said += [await stage.slash("style list"), await stage.slash("style show", name="ink")]
    said += [await stage.slash("seed save", name="fox", seed=12345), await stage.slash("seed list")]
    await stage.slash("imagine", prompt="a fox", style="ink", seed="fox", count=1)
    card = await stage.result()
    gallery = await stage.slash("gallery open")
    said += [card, gallery, await stage.slash("seed delete", name="fox"), await stage.slash("style delete", name="ink")]
    return said


SCENES: tuple[Scene, ...] = (painted, filled_in, suggested, read, kept)


@asynccontextmanager
async def simcord_stage(folder: Path) -> AsyncIterator[SimcordStage]:
    """Easel in simcord, with a member in a channel called paint."""
    async with (
        studio(settings_in(folder), backend=FakeBackend(), clock=HandClock(), guild_ready_timeout=0.02) as easel,
        simcord.run(easel.client, check_errors=False) as env,
    ):
        guild = env.create_guild()
        yield SimcordStage(env, guild.add_member(env.create_user("Ben")), guild.create_text_channel("paint"))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_both_show_the_same(quick: Studio, ben: Person, tmp_path: Path, scene: Scene) -> None:
    """What a person sees in a scene is word for word, button for button, the same on both."""
    ours = _lines(await scene(LoopbackStage(ben)))
    async with simcord_stage(tmp_path / "theirs") as stage:
        theirs = _lines(await scene(stage))
    assert ours
    assert "\n".join(unified_diff(ours, theirs, "ours", "theirs", n=1, lineterm="")) == ""


def _lines(seen: Sequence[Json | list[str] | int]) -> list[str]:
    """All that was seen, one thing after the other."""
    lines: list[str] = []
    for each in seen:
        lines += [
            "---",
            *(transcript(each) if isinstance(each, dict) else each if isinstance(each, list) else [str(each)]),
        ]
    return lines
