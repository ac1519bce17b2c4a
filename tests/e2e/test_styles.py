"""/style and /seed with the real client and real SQLite: kept, listed, suggested, removed, and refused in words."""

from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from tests.e2e.easel import Studio, settings_in, studio_at, words_of


@pytest.fixture
async def studio(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio in the loopback Discord."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    async with studio_at(settings_in(tmp_path), token=loopback.token) as running:
        yield running


async def said(person: Person, command: str, **options: object) -> str:
    """What the answer to a command says; only the person sees it."""
    answer = await (await person.slash(command, "#paint", **options)).answered()
    assert answer["flags"] & 64, "the answer is for the person alone"
    return words_of(answer)


async def test_a_style_is_kept_listed_and_removed(studio: Studio, ada: Person, ben: Person) -> None:
    """A style is saved, changed under the same name, listed for its owner alone, and gone when it is deleted."""
    assert "Kept **ink**" in await said(ada, "style save", name=" ink ", prompt="{prompt}, ink", negative="blurry")
    assert "(version 2)" in await said(ada, "style save", name="Ink", prompt="{prompt}, thick ink")
    listed = await said(ada, "style list")
    assert "- **Ink** `{prompt}, thick ink`" in listed
    assert "blurry" not in listed
    assert "None yet" in await said(ben, "style list")
    assert "did you mean “Ink”" in await said(ada, "style delete", name="inks")
    assert "is removed" in await said(ada, "style delete", name="INK")
    assert "None yet" in await said(ada, "style list")


async def test_names_are_suggested(studio: Studio, ada: Person, ben: Person) -> None:
    """While somebody types a name to delete, their own styles and seeds are offered, and nobody else's."""
    for name in ("ink", "inkwash", "fog"):
        await said(ada, "style save", name=name, prompt=name)
        await said(ada, "seed save", name=name, seed=7)
    await said(ben, "style save", name="ink of Ben", prompt="x")
    for command in ("style delete", "seed delete"):
        offered = await ada.autocomplete(command, "#paint", "name", "ink")
        assert [choice["value"] for choice in offered] == ["ink", "inkwash"]
    assert await ben.autocomplete("seed delete", "#paint", "name", "") == []


async def test_a_seed_is_kept_listed_and_removed(studio: Studio, ada: Person, ben: Person) -> None:
    """A seed is saved, replaced under the same name, listed for its owner alone, and gone when it is deleted."""
    assert "Kept **lucky** = `1234`" in await said(ada, "seed save", name="lucky", seed=1234)
    await said(ada, "seed save", name="lucky", seed=2**32 - 1)
    assert "- **lucky** `4294967295`" in await said(ada, "seed list")
    assert "None yet" in await said(ben, "seed list")
    assert "there is none yet" in await said(ben, "seed delete", name="lucky")
    assert "is removed" in await said(ada, "seed delete", name="lucky")
    assert "None yet" in await said(ada, "seed list")


REFUSED: tuple[tuple[str, dict[str, object], str], ...] = (
    ("style save", {"name": "x" * 41, "prompt": "ink"}, "at most 40 characters; this one has 41"),
    ("style save", {"name": " ", "prompt": "ink"}, "1 to 40 characters"),
    ("style save", {"name": "ink", "prompt": " "}, "A style needs words"),
    ("style save", {"name": "ink", "prompt": "nude child, {prompt}"}, "never paints anything that sexualises minors"),
    ("style delete", {"name": "ink"}, "no style called “ink”"),
    ("seed save", {"name": "x" * 41, "seed": 7}, "at most 40 characters; this one has 41"),
    ("seed save", {"name": "random", "seed": 7}, "already means something"),
    ("seed save", {"name": "lucky", "seed": -1}, "0 to 4,294,967,295, not -1"),
    ("seed save", {"name": "lucky", "seed": 2**32}, "not 4,294,967,296"),
    ("seed delete", {"name": "lucky"}, "no seed called “lucky”"),
)


async def test_what_cannot_be_kept_is_a_sentence(studio: Studio, ada: Person) -> None:
    """Bad names, empty or forbidden words, seeds out of range and unknown names are each answered, and nothing is kept."""
    for command, options, says in REFUSED:
        told = await said(ada, command, **options)
        assert says in told.replace("\\", "")
    assert "None yet" in await said(ada, "style list")
    assert "None yet" in await said(ada, "seed list")
