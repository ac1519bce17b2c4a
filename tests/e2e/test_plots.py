"""Plots, prompt matrices and files of prompts with the real client, real SQLite and a painter that can be held."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from PIL import Image

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from bot.settings import LimitSettings, Settings
from inference.api.errors import Failure, FailureCode
from inference.client.fake import FakeBackend
from inference.client.gates import HeldGate
from storage.gallery_values import Query
from storage.series_values import SeriesState
from storage.values import JobState
from tests.e2e.easel import (
    Studio,
    button_of,
    bytes_at,
    is_result,
    parts_of,
    pictures_of,
    settings_in,
    studio_at,
    words_of,
)

PLOT = {
    "prompt": "a red apple",
    "x_axis": "CFG Scale",
    "x_values": "3, 5, 7",
    "y_axis": "Steps",
    "y_values": "2-4 (+2)",
}


AT_ONCE = 10
"""Cells of two rows that are open at once for a painter of sixteen rows; job 1 is the first cell."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings in a folder of this test's."""
    return settings_in(tmp_path)


@pytest.fixture
def token(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> str:
    """The loopback's token, with discord.py pointed at it."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    return loopback.token


@pytest.fixture
async def studio(settings: Settings, token: str) -> AsyncIterator[Studio]:
    """A studio whose painter paints at once."""
    async with studio_at(settings, token=token) as running:
        yield running


def told_by(message: Json) -> str:
    """All text of a card as its reader sees it."""
    return words_of(message).replace("\\", "")


def is_question(message: Json) -> bool:
    """Whether a card asks whether to paint."""
    return any(part.get("custom_id", "").startswith("easel:sgo:") for part in parts_of(message))


def is_grid(message: Json) -> bool:
    """Whether a card shows what came of a series."""
    return any(part.get("custom_id", "").startswith("easel:sdel:") for part in parts_of(message))


def menu_of(message: Json) -> Json:
    """The menu of cells."""
    return next(part for part in parts_of(message) if part.get("custom_id", "").startswith("easel:scell:"))


async def asked(person: Person, command: str = "plot", **options: object) -> Json:
    """The question that a command is answered with."""
    return await (await person.slash(command, "#paint", **options)).answered()


async def painted(person: Person, question: Json) -> Json:
    """Say yes, and wait for the grid."""
    await person.click(question, button_of(question, Action.SERIES_GO))
    return await person.wait_for_message("#paint", is_grid, after=question["id"], timeout=60)


async def told_alone(person: Person, before: set[str]) -> str:
    """What a person is told that nobody else sees, once it is said."""
    told = await person.until(
        lambda: next(
            (m for m in person.messages("#paint") if m["flags"] & 64 and told_by(m).strip() and m["id"] not in before),
            None,
        )
    )
    return told_by(told)


async def size_of(url: str) -> tuple[int, int]:
    """Of a picture."""
    return Image.open(io.BytesIO(await bytes_at(url))).size


async def test_a_plot_is_asked_for_painted_and_opened(studio: Studio, ada: Person, ben: Person) -> None:
    """The question tells cells and cost and paints nothing; the yes paints; any cell opens with all its buttons, for all."""
    question = await asked(ada, **PLOT)
    words = told_by(question)
    assert "**6 cells** · about **" in words
    assert "X: CFG Scale: 3, 5, 7" in words
    assert "Y: Steps: 2-4 (+2)" in words
    assert await studio.easel.desk.db.jobs.unfinished() == ()
    done = await painted(ada, question)
    await ada.until(lambda: ada.message(question["id"]) is None)
    menu = menu_of(done)
    labels = [option["label"] for option in menu["options"]]
    assert labels[0] == "CFG Scale: 3.0 · Steps: 2"
    assert len(labels) == 6
    (grid,) = pictures_of(done)
    # three columns, and three quarters of one for the legend
    assert (await size_of(grid))[0] == 3 * 128 + 96
    data = Image.open(io.BytesIO(await bytes_at(grid)))
    text = str(data.info["parameters"])
    assert (
        'Script: X/Y/Z plot, X Type: CFG Scale, X Values: "3, 5, 7", Y Type: Steps, Y Values: 2-4 (+2), Version' in text
    )
    opened = await (await ben.select(done, menu["custom_id"], [menu["options"][4]["value"]])).answered()
    assert is_result(opened)
    assert button_of(opened, Action.UPSCALE)
    assert labels[4] in told_by(opened)
    assert not any("easel:stop:" in part.get("custom_id", "") for part in parts_of(opened))


async def test_only_the_asker_answers_and_once(studio: Studio, ada: Person, ben: Person) -> None:
    """Nobody else can say yes or no; a no forgets the question; what is over says so."""
    question = await asked(ada, **PLOT)
    go, no = (button_of(question, action) for action in (Action.SERIES_GO, Action.SERIES_NO))
    for button in (go, no):
        assert "Only who asked" in told_by(await (await ben.click(question, button)).answered())
    await ada.click(question, no)
    await ada.until(lambda: "Not painted" in told_by(ada.message(question["id"]) or question))
    series = await studio.easel.desk.db.series.get(1)
    assert series is None


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"x_axis": "Colour"}, "There is no axis called “Colour”"),
    ({"x_axis": "Face restore", "x_values": "GFPGANv9"}, "There is no face restorer called “GFPGANv9”"),
    ({"x_values": "many"}, "“many” is not a number or a range"),
    ({"x_values": "1-1000000000"}, "at most 1,000 values"),
    ({"x_values": "1-30", "y_values": "1-10"}, "300 cells; at most 100 are allowed"),
    ({"x_values": "40"}, "CFG scale must be between 0 and 30"),
    ({"x_values": ""}, "has no values"),
    ({"y_axis": None}, "no axis; choose one as y_axis"),
    ({"x_axis": "Prompt S/R", "x_values": "pear, plum"}, "did not find “pear”"),
    ({"x_axis": "Denoising", "x_values": "0.5"}, "needs a picture to begin from"),
    ({"x_axis": "Checkpoint name", "x_values": "sunset, moonrise"}, "There is no model called “moonrise”"),
    ({"x_axis": "Hires steps", "x_values": "5"}, "needs hires fix"),
]


async def test_a_grid_is_deleted_by_its_asker(studio: Studio, ada: Person, ben: Person) -> None:
    """🗑 takes the message away for who asked alone; the pictures stay in their gallery."""
    done = await painted(ada, await asked(ada, prompt="an apple", x_axis="Seed", x_values="1-3"))
    delete = button_of(done, Action.SERIES_DELETE)
    assert "Only who asked" in told_by(await (await ben.click(done, delete)).answered())
    before = {message["id"] for message in ada.messages("#paint")}
    await ada.click(done, delete)
    assert "stay in `/gallery open`" in await told_alone(ada, before)
    await ada.until(lambda: ada.message(done) is None)
    assert (await studio.easel.desk.db.gallery.page(int(ada.id), Query())).total == 3


async def test_what_cannot_be_plotted(studio: Studio, ada: Person) -> None:
    """What means nothing, or too much, is one sentence for the asker alone, before anything is written or queued."""
    for options, sentence in REFUSED:
        before = {message["id"] for message in ada.messages("#paint")}
        wanted = {name: value for name, value in {**PLOT, **options}.items() if value is not None}
        await ada.slash("plot", "#paint", **wanted)
        told = await told_alone(ada, before)
        assert sentence in told, sentence
    assert await studio.easel.desk.db.series.get(1) is None


async def test_values_are_suggested_for_the_axis(studio: Studio, ada: Person) -> None:
    """Axes are suggested by name; values are those of the axis that was chosen, and what is typed before them is kept."""
    await studio.easel.desk.inventory()
    found = await ada.autocomplete("plot", "#paint", "x_axis", "check")
    assert [choice["value"] for choice in found] == ["Checkpoint name", "Refiner checkpoint"]
    names = await ada.autocomplete("plot", "#paint", "x_values", "gradient, ", x_axis="Checkpoint name")
    assert [choice["value"] for choice in names] == ["gradient,", "gradient, sunset"]
    samplers = await ada.autocomplete("plot", "#paint", "x_values", "DPM++ 2M, eul", x_axis="Sampler")
    assert [choice["value"] for choice in samplers] == ["DPM++ 2M, Euler a", "DPM++ 2M, Euler"]
    assert await ada.autocomplete("plot", "#paint", "x_values", "x", x_axis="Nonsense") == []


async def test_z_is_one_grid_each_and_menus_are_paged(studio: Studio, ada: Person) -> None:
    """Each value of Z is a grid with its title; more than 25 cells are paged on the same card, and each can be opened."""
    question = await asked(
        ada,
        prompt="a red apple",
        x_axis="Seed",
        x_values="1-7",
        y_axis="Prompt S/R",
        y_values="apple, pear",
        z_axis="Sampler",
        z_values="Euler, Heun",
    )
    assert "**28 cells** in 2 grids" in told_by(question)
    done = await painted(ada, question)
    assert len(pictures_of(done)) == 2
    first = menu_of(done)
    assert len(first["options"]) == 25
    assert first["placeholder"] == "Open a picture (1 to 25 of 28)"
    pager = await (await ada.click(done, button_of(done, Action.SERIES_PAGE))).answered()
    turned = pager
    assert turned["flags"] & 64, "nobody else's menu is turned"
    assert len(menu_of(turned)["options"]) == 3
    await ada.click(turned, button_of(turned, Action.SERIES_PAGE, 0))
    await ada.until(lambda: len(menu_of(ada.message(pager["id"]) or pager)["options"]) == 25)
    await ada.click(turned, button_of(turned, Action.SERIES_PAGE, 1))
    turned = await ada.until(
        lambda: next((m for m in [ada.message(pager["id"])] if m and len(menu_of(m)["options"]) == 3), None)
    )
    last = menu_of(turned)
    assert last["options"][-1]["label"] == "Seed: 7 · pear · Heun"
    opened = await (await ada.select(turned, last["custom_id"], [last["options"][-1]["value"]])).answered()
    assert "a red pear" in told_by(opened)


async def test_a_failed_cell_is_blank_and_named(settings: Settings, token: str, ada: Person) -> None:
    """A cell that fails leaves a blank and its reason; the others are painted."""
    gate = HeldGate()
    painter = FakeBackend(gate=gate)
    async with studio_at(settings, token=token, painter=painter) as studio:
        question = await asked(ada, prompt="an apple", x_axis="Seed", x_values="1-3")
        await ada.click(question, button_of(question, Action.SERIES_GO))
        await gate.reached(3)
        painter.fail(2, Failure(FailureCode.OUT_OF_MEMORY, "It is too large for this machine."))
        gate.open()
        done = await ada.wait_for_message("#paint", is_grid, after=question["id"], timeout=60)
        assert "`Seed: 2`: It is too large for this machine" in told_by(done)
        assert [option["label"] for option in menu_of(done)["options"]] == ["Seed: 1", "Seed: 3"]
        (grid,) = pictures_of(done)
        assert (await size_of(grid))[0] == 3 * 128
        await ada.until(lambda: ada.message(question["id"]) is None)
        series = await studio.easel.desk.db.series.get(1)
        assert series is not None
        assert series.state is SeriesState.DONE


async def test_the_grid_grows_and_can_be_stopped(settings: Settings, token: str, ada: Person, ben: Person) -> None:
    """While it is painted the card shows how far it is and the grid so far; 🛑 cancels what is left and shows what is there."""
    gate = HeldGate()
    painter = FakeBackend(gate=gate)
    async with studio_at(settings, token=token, painter=painter) as studio:
        question = await asked(ada, prompt="an apple", x_axis="Seed", x_values="1-40")
        await ada.click(question, button_of(question, Action.SERIES_GO))
        await gate.reached(AT_ONCE)
        assert len(painter.running) == AT_ONCE
        await gate.reached(1, "finishing")
        gate.release(1)
        await gate.reached(AT_ONCE + 1)
        await studio.easel.desk.series.refresh()
        card = ada.message(question["id"])
        assert card is not None
        assert "**1** of 40" in told_by(card)
        assert len(pictures_of(card)) == 1
        queue = await (await ada.slash("queue", "#paint")).answered()
        assert "X/Y/Z plot · **1** of 40 · an apple" in told_by(queue)
        assert button_of(queue, Action.SERIES_STOP)
        assert "Cancel job" not in str(queue["components"])
        stop = button_of(card, Action.SERIES_STOP)
        assert "Only who asked" in told_by(await (await ben.click(card, stop)).answered())
        await ada.click(card, stop)
        done = await ada.wait_for_message("#paint", is_grid, after=question["id"], timeout=60)
        assert "39 cells not painted" in told_by(done)
        assert len(menu_of(done)["options"]) == 1
        jobs = await studio.easel.desk.db.jobs.recent_of(int(ada.id), limit=50)
        assert {job.state for job in jobs} == {JobState.DELIVERED, JobState.CANCELLED}


async def test_a_plot_outlives_a_restart(settings: Settings, token: str, ada: Person) -> None:
    """The question is answered after a restart; a plot that ran goes on after another, and paints each cell once."""
    async with studio_at(settings, token=token):
        question = await asked(ada, prompt="an apple", x_axis="Seed", x_values="1-14")
    gate = HeldGate()
    painter = FakeBackend(gate=gate)
    async with studio_at(settings, token=token, painter=painter):
        await ada.click(question, button_of(question, Action.SERIES_GO))
        for job in (1, 2):
            await gate.reached(job, "finishing")
            gate.release(job)
        await gate.reached(AT_ONCE + 2)
    async with studio_at(settings, token=token) as studio:
        done = await ada.wait_for_message("#paint", is_grid, after=question["id"], timeout=60)
        assert len(menu_of(done)["options"]) == 14
        cells = await studio.easel.desk.db.series.cells(1)
        assert all(len(cell.images) == 1 for cell in cells)
        assert len({cell.job for cell in cells}) == 14
        jobs = await studio.easel.desk.db.jobs.recent_of(int(ada.id), limit=50)
        assert len(jobs) == 14


async def test_a_stranger_starts_at_once(settings: Settings, token: str, ada: Person, ben: Person) -> None:
    """A stranger's /imagine behind a plot of a hundred cells begins before any of its running cells has ended."""
    gate = HeldGate()
    painter = FakeBackend(gate=gate)
    async with studio_at(settings, token=token, painter=painter):
        question = await asked(ada, prompt="an apple", x_axis="Seed", x_values="1-100")
        await ada.click(question, button_of(question, Action.SERIES_GO))
        await gate.reached(AT_ONCE)
        await ben.slash("imagine", "#paint", prompt="a pear", count=4)
        await gate.reached(AT_ONCE + 1)
        assert painter.running == tuple(range(1, AT_ONCE + 2)), "no cell had to end for it"


async def test_a_plot_in_private(studio: Studio, ada: Person, ben: Person) -> None:
    """What is asked for in private is shown in direct messages alone; where they are closed nothing is begun."""
    question = await asked(ada, **PLOT, private=True)
    assert question["flags"] & 64
    ada.accept_direct_messages(accepted=False)
    told = await (await ada.click(question, button_of(question, Action.SERIES_GO))).answered()
    assert "direct messages are closed" in told_by(told)
    ada.accept_direct_messages(accepted=True)
    await ada.click(question, button_of(question, Action.SERIES_GO))
    done = await ada.wait_for_message(ada.open_dm(), is_grid)
    assert len(menu_of(done)["options"]) == 6
    assert not any(is_grid(message) for message in ben.messages("#paint"))


async def test_a_prompt_matrix(studio: Studio, ada: Person) -> None:
    """Every combination of the parts is painted with the same seed, and shown in rows and columns."""
    question = await asked(ada, "matrix", prompt="an apple|red|on a table", seed="7")
    done = await painted(ada, question)
    menu = menu_of(done)
    assert [option["label"] for option in menu["options"]] == [
        "the first part alone",
        "red",
        "on a table",
        "red + on a table",
    ]
    opened = await (await ada.select(done, menu["custom_id"], ["3"])).answered()
    assert "an apple, red, on a table" in told_by(opened)
    assert "seed `7`" in told_by(opened)
    before = {message["id"] for message in ada.messages("#paint")}
    await ada.slash("matrix", "#paint", prompt="an apple")
    assert "needs a prompt in parts" in await told_alone(ada, before)


async def test_prompts_from_a_file(studio: Studio, ada: Person) -> None:
    """Each line is a picture: words as they are, or the webui's command line; what a line cannot have is named."""
    text = '\ufeffa red apple\n\n--prompt "a green pear" --seed 5 --width 192 --height 128\n--bogus 1\n'
    question = await asked(ada, "prompts", file=ada.upload(text.encode(), "prompts.txt"), seed="9")
    done = await painted(ada, question)
    menu = menu_of(done)
    assert [option["label"] for option in menu["options"]] == ["1. a red apple", "2. a green pear", "3. --bogus 1"]
    opened = await (await ada.select(done, menu["custom_id"], ["1"])).answered()
    assert "seed `5`" in told_by(opened)
    bad = ada.upload(b"--prompt x --steps 99", "prompts.txt")
    before = {message["id"] for message in ada.messages("#paint")}
    await ada.slash("prompts", "#paint", file=bad)
    assert "Line 1: At most 60 steps" in await told_alone(ada, before)


async def test_as_many_at_once_as_allowed(tmp_path: Path, token: str, ada: Person) -> None:
    """Who has as many series running as one may have is told so before another begins; the question stays."""
    settings = settings_in(tmp_path, limits=LimitSettings(series_per_person=1))
    gate = HeldGate()
    async with studio_at(settings, token=token, painter=FakeBackend(gate=gate)):
        first, second = [await asked(ada, **PLOT), await asked(ada, **PLOT)]
        await ada.click(first, button_of(first, Action.SERIES_GO))
        told = await (await ada.click(second, button_of(second, Action.SERIES_GO))).answered()
        assert "as many as one person may have" in told_by(told)
        gate.open()
        await ada.wait_for_message("#paint", is_grid, after=first["id"], timeout=60)
        await ada.until(lambda: ada.message(first["id"]) is None)
        done = await painted(ada, second)
        assert len(menu_of(done)["options"]) == 6
