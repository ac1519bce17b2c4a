"""Prompts with choices, braces and flags of other bots, with the real client, the real queue and real SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.discord_ui.actions import Action
from bot.requests.dynamic import draw
from bot.requests.wildcards import Wildcards
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from bot.settings import GenerationSettings, LimitSettings, PathSettings, SandboxSettings, Settings
from inference.api.request import GenerationRequest
from storage.values import Image
from tests.e2e.easel import Studio, button_of, paint, pictures_of, result_in, studio_at, words_of


def settings_at(folder: Path) -> Settings:
    """Settings with models, and so wildcards, of their own."""
    return Settings(
        paths=PathSettings(data=folder / "data", models=folder / "models"),
        generation=GenerationSettings(count=4, steps=4),
        limits=LimitSettings(),
        sandbox=SandboxSettings(open_browser=False),
    )


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """The operator's folder of wildcards, with one in it."""
    folder = tmp_path / "models" / "wildcards"
    (folder / "zoo").mkdir(parents=True)
    (folder / "zoo" / "animal.txt").write_text("cat\ndog\nowl\nfrog\n", "utf-8")
    return folder


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path, words: Path) -> AsyncIterator[Studio]:
    """A studio with the wildcards."""
    async with studio_at(settings_at(tmp_path), token=loopback.token) as running:
        yield running


async def images_of(studio: Studio, card: Json) -> list[Image]:
    """The rows of the pictures that a card shows."""
    return list(await studio.easel.desk.db.images.of_message(int(card["id"])))


async def note_for(person: Person) -> str:
    """What only this person is told after a command."""
    told = await person.wait_for_message("#paint", lambda message: "Understood" in words_of(message))
    assert told["flags"] & 64, "what was understood is for the person alone"
    return words_of(told)


async def test_each_picture_of_a_card_has_words_of_its_own(studio: Studio, ada: Person, words: Path) -> None:
    """A wildcard and a choice are drawn with each picture's seed; 🔄 draws anew, U and the details show the words drawn."""
    template = "a {red|green|blue} __animal__"
    card = await paint(ada, prompt=template, seed="100")
    images = await images_of(studio, card)
    wanted = draw(template, "", seeds=range(100, 104), wildcards=Wildcards([words]))
    assert [image.request.prompt.positive for image in images if isinstance(image.request, GenerationRequest)] == [
        positive for positive, _ in wanted
    ]
    for image, (positive, _) in zip(images, wanted, strict=True):
        assert image.infotext.startswith(f"{positive}\n")
        assert f'Template: "{template}"' in image.infotext or f"Template: {template}" in image.infotext
    newest = ada.last("#paint")["id"]
    asked = await (await ada.click(card, button_of(card, Action.AGAIN))).answered()
    shown = await result_in(ada, "#paint", after=newest)
    await ada.until(lambda: ada.message(asked) is None)
    again = await images_of(studio, shown)
    seed = again[0].seed
    redrawn = draw(template, "", seeds=range(seed, seed + 4), wildcards=Wildcards([words]))
    assert [image.infotext.split("\n", 1)[0] for image in again] == [positive for positive, _ in redrawn]


async def test_braces_with_commas_are_a_job_for_each(studio: Studio, ada: Person) -> None:
    """Three jobs, each with a queue card and a result of its own, and the flags are told."""
    asked = await (
        await ada.slash("imagine", "#paint", prompt="a {red, green, blue} bird --ar 3:2 --seed 5 --niji", count=1)
    ).answered()
    note = await note_for(ada)
    assert "3\\:2 · seed 5" in note
    assert "left out" in note
    await ada.until(
        lambda: (
            sum(
                len(pictures_of(message)) == 1 and "bird" in words_of(message) and "for <@" in words_of(message)
                for message in ada.messages("#paint")
            )
            == 3
        )
    )
    await ada.until(lambda: ada.message(asked) is None)
    jobs = [await studio.easel.desk.db.jobs.get(number) for number in (1, 2, 3)]
    requests = [job.request for job in jobs if job is not None and isinstance(job.request, GenerationRequest)]
    assert [request.prompt.positive for request in requests] == ["a red bird", "a green bird", "a blue bird"]
    assert {(request.seeds.seed, request.canvas.width > request.canvas.height) for request in requests} == {(5, True)}


async def test_a_form_understands_what_imagine_does(studio: Studio, ada: Person) -> None:
    """The prompt of /form may ask for several jobs and carry flags; more than four are agreed to first."""
    form = await ada.slash("form", "#paint")
    asked = await (await ada.submit(form, {"prompt": "a {red, green} bird --ar 3:2 --seed 5 --n 1"})).answered()
    assert "seed 5" in await note_for(ada)
    await ada.until(lambda: ada.message(asked) is None)
    jobs = [await studio.easel.desk.db.jobs.get(number) for number in (1, 2)]
    requests = [job.request for job in jobs if job is not None and isinstance(job.request, GenerationRequest)]
    assert [request.prompt.positive for request in requests] == ["a red bird", "a green bird"]
    form = await ada.slash("form", "#paint")
    question = await (await ada.submit(form, {"prompt": "a {b, c, d, e, f} --n 1"})).answered()
    assert "5 cells" in words_of(question).replace("*", "")


async def test_combinations_are_one_card_while_it_can_show_them(studio: Studio, ada: Person) -> None:
    """--all paints every combination, here as the four pictures of one card."""
    card = await paint(ada, prompt="a {red|blue} {cat|dog} --all")
    images = await images_of(studio, card)
    assert [image.infotext.split("\n", 1)[0] for image in images] == [
        "a red cat",
        "a red dog",
        "a blue cat",
        "a blue dog",
    ]


@pytest.mark.parametrize(
    ("prompt", "cells"),
    [("a {b, c, d, e, f} --n 1", 5), ("a __animal__ {b|c} --all", 8), ("a cat --repeat 6 --n 1", 6)],
)
async def test_more_than_four_jobs_ask_first(studio: Studio, ada: Person, ben: Person, prompt: str, cells: int) -> None:
    """Nothing is queued before the yes; after it the pictures come as a series."""
    asked = await (await ada.slash("imagine", "#paint", prompt=prompt)).answered()
    question = await ada.wait_for_message("#paint", lambda message: f"{cells} cells" in words_of(message))
    assert question["id"] == asked["id"]
    assert not studio.easel.desk.dispatcher.queue()
    assert await studio.easel.desk.db.jobs.get(1) is None
    await ada.click(question, button_of(question, Action.SERIES_GO))
    done = await ada.wait_for_message(
        "#paint", lambda message: f"{cells} pictures" in words_of(message) and pictures_of(message)
    )
    assert f"<@{ada.id}>" in words_of(done)


REFUSED = (
    ("a {0::b|0::c}", "cannot be read"),
    ("a cat --foo", "no flag that Easel knows"),
    ("a cat --steps many", "takes a number"),
    ("{a,b,c,d,e}{a,b,c,d,e}{a,b,c,d,e}", "more than 100 prompts"),
    ("{" * 2000, None),
    ("a {naked|dressed} {child|dog}", "never paints"),
    ("{a, b} --model nothing", "There is no model called"),
)


@pytest.mark.parametrize(("prompt", "sentence"), REFUSED)
async def test_what_cannot_be_understood_is_one_sentence(
    studio: Studio, ada: Person, prompt: str, sentence: str | None
) -> None:
    """For the person alone, and nothing is queued; a row of braces is words."""
    await ada.slash("imagine", "#paint", prompt=prompt)
    if sentence is None:
        await result_in(ada, "#paint")
        return
    told = await ada.wait_for_message("#paint", lambda message: sentence in words_of(message))
    assert told["flags"] & 64
    assert await studio.easel.desk.db.jobs.get(1) is None


async def test_an_unknown_wildcard_is_told(studio: Studio, ada: Person) -> None:
    """It stays in the prompt as it was typed, and the person hears of it."""
    card = await paint(ada, prompt="a __nothing__ {cat}", count=1)
    (image,) = await images_of(studio, card)
    assert image.infotext.startswith("a __nothing__ cat\n")
    assert "no wildcard “nothing”" in await note_for(ada)


async def test_wildcards_are_listed_and_shown(studio: Studio, ada: Person, words: Path) -> None:
    """/wildcards lists what is there now, shows one, suggests names, and says what to do where there is none."""
    listed = words_of(await (await ada.slash("wildcards", "#paint")).answered())
    assert "`__zoo/animal__`" in listed
    assert "cat · dog · frog · owl" in words_of(
        await (await ada.slash("wildcards", "#paint", name="__animal__")).answered()
    )
    offered = await ada.autocomplete("wildcards", "#paint", "name", "ani")
    assert [choice["value"] for choice in offered] == ["zoo/animal"]
    assert "did you mean “zoo/animal”" in words_of(
        await (await ada.slash("wildcards", "#paint", name="animals")).answered()
    )
    (words / "zoo" / "animal.txt").unlink()
    assert "None yet" in words_of(await (await ada.slash("wildcards", "#paint")).answered())
