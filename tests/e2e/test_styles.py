"""/style and /seed with the real client and real SQLite: kept, listed, shared, worn, moved in and out, and refused in words."""

from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot.discord_ui import view
from bot.discord_ui.actions import Action
from bot.discord_ui.styles import cards
from bot.discord_ui.styles.cards import Rights
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from inference.api.request import GenerationRequest
from inference.api.styles import read_styles
from storage.gallery_values import Query
from storage.values import Image, StyleSettings
from tests.e2e.easel import Studio, button_of, bytes_at, paint, parts_of, settings_in, studio_at, words_of

CSV = b"\xef\xbb\xbfname,prompt,negative_prompt\n"


@pytest.fixture
async def studio(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio in the loopback Discord."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    async with studio_at(settings_in(tmp_path, count=1), token=loopback.token) as running:
        yield running


async def asked(person: Person, command: str, where: str = "#paint", **options: object) -> Json:
    """The answer to a command; only the person sees it."""
    answer = await (await person.slash(command, where, **options)).answered()
    assert answer["flags"] & 64, "the answer is for the person alone"
    return answer


async def said(person: Person, command: str, where: str = "#paint", **options: object) -> str:
    """What that answer says."""
    return words_of(await asked(person, command, where, **options))


async def pressed(person: Person, message: Json, label: str) -> Json:
    """The card after one of its buttons was pressed."""
    return await (await person.click(message, label)).answered()


async def chosen(person: Person, message: Json, action: Action, label: str) -> Json:
    """The card after a line of its menu was chosen."""
    menu = next(
        part for part in parts_of(message) if part.get("custom_id") == button_of(message, action) and "options" in part
    )
    (value,) = [option["value"] for option in menu["options"] if option["label"] == label]
    return await (await person.select(message, menu["custom_id"], [value])).answered()


def menus_of(message: Json) -> list[Json]:
    """Its menus."""
    return [part for part in parts_of(message) if part["type"] == 3]


async def newest(studio: Studio, person: Person) -> Image:
    """The picture that was painted last."""
    page = await studio.easel.desk.db.gallery.page(int(person.id), Query(), limit=1)
    return page.images[0]


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
    """While somebody types a name, their own are offered, and nobody else's; a list of styles goes on behind its comma."""
    for name in ("ink", "inkwash", "fog"):
        await said(ada, "style save", name=name, prompt=name)
        await said(ada, "seed save", name=name, seed=7)
    await said(ben, "style save", name="ink of Ben", prompt="x")
    for command in ("style delete", "style edit", "style show", "style versions", "style share", "seed delete"):
        offered = await ada.autocomplete(command, "#paint", "name", "ink")
        assert [choice["value"] for choice in offered] == ["ink", "inkwash"]
    assert await ben.autocomplete("seed delete", "#paint", "name", "") == []
    offered = await ada.autocomplete("imagine", "#paint", "style", "fog, in")
    assert [choice["value"] for choice in offered] == ["fog, ink", "fog, inkwash"]
    offered = await ada.autocomplete("style save", "#paint", "model", "sun")
    assert [choice["name"] for choice in offered] == ["sunset · SD 1"]
    assert "Euler a" in [
        choice["name"] for choice in await ada.autocomplete("style save", "#paint", "sampler", "euler")
    ]


async def test_a_seed_is_kept_listed_and_removed(studio: Studio, ada: Person, ben: Person) -> None:
    """A seed is saved, replaced under the same name, listed for its owner alone, used, and gone when it is deleted."""
    assert "Kept **lucky** = `1234`" in await said(ada, "seed save", name="lucky", seed=1234)
    await said(ada, "seed save", name="lucky", seed=2**32 - 1)
    assert "- **lucky** `4294967295`" in await said(ada, "seed list")
    await paint(ada, seed="lucky")
    assert (await newest(studio, ada)).seed == 2**32 - 1
    assert "None yet" in await said(ben, "seed list")
    assert "there is none yet" in await said(ben, "seed delete", name="lucky")
    assert "is removed" in await said(ada, "seed delete", name="lucky")
    assert "None yet" in await said(ada, "seed list")


async def test_long_lists_have_pages(studio: Studio, ada: Person) -> None:
    """Every style and seed is on some page; the buttons lead there and back, and a menu opens what stands on the page."""
    db = studio.easel.desk.db
    for number in range(23):
        await db.styles.save(int(ada.id), f"s{number:02}", prompt="x", negative="", now=1.0)
        await db.seeds.save(int(ada.id), f"n{number:02}", number, 1.0)
    card = await asked(ada, "style list")
    assert "page 1 of 3" in words_of(card)
    card = await pressed(ada, await pressed(ada, card, "▶️"), "▶️")
    assert "**s22**" in words_of(card)
    assert "**s09**" not in words_of(card)
    opened = await chosen(ada, card, Action.STYLES, "s22")
    assert "### s22" in words_of(opened)
    assert "page 1 of 3" in words_of(await pressed(ada, opened, "All styles"))
    card = await asked(ada, "seed list")
    assert "**n22**" not in words_of(card)
    assert "**n22** `22`" in words_of(await pressed(ada, card, "▶️"))


async def test_a_style_sets_what_is_not_said_and_the_card_tells(studio: Studio, ada: Person) -> None:
    """Model, sampler, steps, CFG and size of the styles are painted with, in their order; an option wins; the card says so."""
    await said(
        ada, "style save", name="ink", prompt="{prompt}, ink", model="sunset", sampler="Euler", steps=7, cfg=3.5, size="64x128"
    )  # fmt: skip
    await said(ada, "style save", name="moody", prompt="moody {prompt}", negative="sun", steps=9)
    card = await paint(ada, prompt="a fox", style="ink, moody", cfg=2.0)
    request = (await newest(studio, ada)).request
    assert isinstance(request, GenerationRequest)
    assert (request.prompt.positive, request.prompt.negative) == ("moody a fox, ink", "sun")
    assert (request.model.name, request.sampling.sampler, request.sampling.steps) == ("sunset", "euler", 9)
    assert (request.guidance.cfg_scale, request.canvas.width, request.canvas.height) == (2.0, 64, 128)
    told = words_of(card).replace("\\", "")
    assert "Styles “ink” and “moody”: model sunset, Euler, 9 steps, 64 × 128." in told
    assert "CFG" not in told


async def test_versions_are_looked_at_and_gone_back_to(studio: Studio, ada: Person) -> None:
    """Each version is there to be seen; going back makes it the newest, and the ones between stay."""
    for words in ("one", "two", "three"):
        await said(ada, "style save", name="ink", prompt=words)
    card = await asked(ada, "style versions", name="Ink")
    assert "3 versions" in words_of(card)
    old = await chosen(ada, card, Action.STYLE, "Version 1")
    assert "one" in words_of(old)
    now = await pressed(ada, old, "Go back to version 1")
    assert "Version 4 is version 1 again" in words_of(now)
    assert [style.prompt for style in await studio.easel.desk.db.styles.versions(int(ada.id), "ink")] == [
        "one",
        "three",
        "two",
        "one",
    ]
    assert "4 versions" in words_of(await pressed(ada, now, "Versions"))


async def test_a_form_makes_a_style_and_changes_it(studio: Studio, ada: Person) -> None:
    """A name alone opens the form; what is sent is kept; ✏️ opens it filled in; a refusal gives the words back."""
    form = await ada.slash("style save", "#paint", name="ink")
    bad = await (await ada.submit(form, {"prompt": "a, b", "settings": "Steps: lots"})).answered()
    assert "Steps must be a whole number" in words_of(bad)
    assert "What you wrote" in words_of(bad)
    assert "a, b" in words_of(bad)
    form = await ada.slash("style save", "#paint", name="ink")
    kept = await (await ada.submit(form, {"prompt": "{prompt}, ink", "settings": "steps: 5, model: sunset"})).answered()
    assert "Kept **ink**" in words_of(kept)
    assert "Model: sunset, Steps: 5" in words_of(kept)
    form = await ada.click(kept, "Edit")
    kept = await (await ada.submit(form, {"negative": "blur"})).answered()
    assert "(version 2)" in words_of(kept)
    style = await studio.easel.desk.db.styles.newest(int(ada.id), "ink")
    assert style is not None
    assert (style.prompt, style.negative, style.settings.steps) == ("{prompt}, ink", "blur", 5)
    form = await ada.slash("style edit", "#paint", name="ink")
    assert "(version 3)" in words_of(await (await ada.submit(form, {"prompt": "x"})).answered())
    listed = await asked(ada, "style list")
    form = await ada.click(listed, "New style")
    assert "Kept **fog**" in words_of(await (await ada.submit(form, {"name": "fog", "prompt": "fog"})).answered())


async def test_a_picture_becomes_a_style_and_a_named_seed(studio: Studio, ada: Person, ben: Person) -> None:
    """ℹ️ under anybody's picture offers both; the style carries what was ticked, and painting with it does the same again."""
    shown = await paint(ada, prompt="a fox", negative="blur", steps=6, model="sunset", seed="77")
    info = await pressed(ben, shown, "ℹ️")
    form = await ben.click(info, "Save as style")
    kept = await (
        await ben.submit(form, {"name": "foxy", "prompt": "{prompt} with a fox", "carried": ["model", "steps"]})
    ).answered()
    assert "Kept **foxy**" in words_of(kept)
    style = await studio.easel.desk.db.styles.newest(int(ben.id), "foxy")
    assert style is not None
    assert (style.prompt, style.negative) == ("{prompt} with a fox", "blur")
    assert style.settings == StyleSettings(model="sunset", hash="9876543210", steps=6)
    await paint(ben, prompt="a hen", style="foxy")
    request = (await newest(studio, ben)).request
    assert isinstance(request, GenerationRequest)
    assert (request.prompt.positive, request.model.name) == ("a hen with a fox", "sunset")
    form = await ben.click(info, "Keep the seed")
    assert "Kept **fox seed** = `77`" in words_of(await (await ben.submit(form, {"name": "fox seed"})).answered())
    image = await newest(studio, ada)
    await studio.easel.desk.db.images.remove(image.id)
    for label in ("Save as style", "Keep the seed"):
        assert "That picture is gone" in words_of(await (await ben.click(info, label)).answered())


async def test_sharing_wants_a_right_and_is_taken_back(studio: Studio, ada: Person, ben: Person) -> None:
    """Who may share does; everybody there can use it then, and nobody else can change it; who moderates takes others' back."""
    await said(ben, "style save", name="fog", prompt="fog")
    assert "Only who manages messages" in await said(ben, "style share", name="fog")
    dm = ada.open_dm()
    await said(ada, "style save", name="ink", prompt="{prompt}, ink")
    assert "Everybody in this server can use **ink** now" in await said(ada, "style share", name="ink")
    assert "(this server's)" in await said(ben, "style list")
    assert [choice["value"] for choice in await ben.autocomplete("imagine", "#paint", "style", "in")] == ["ink"]
    await paint(ben, style="ink")
    others = await asked(ben, "style show", name="ink")
    labels = [part.get("label") for part in parts_of(others) if part["type"] == 2]
    assert labels == ["All styles"]
    assert "no style called" in await said(ben, "style edit", name="ink")
    dmed = await (await ben.slash("style show", ben.open_dm(), name="ink")).answered()
    assert "no style called" in words_of(dmed)
    shared = await (await ada.slash("style share", dm, name="ink")).answered()
    assert "use this in the one that shall have it" in words_of(shared)
    assert "is its owner's alone again" in await said(ada, "style unshare", name="ink")
    assert "None yet" not in await said(ben, "style list")
    await studio.easel.desk.db.styles.share(
        int(ben.id), "fog", int(ada.world.channel(ada.channel("#paint")).guild_id or 0)
    )
    assert "fog" in await said(ada, "style unshare", name="fog")
    assert "no shared style called “fog”" in (await said(ada, "style unshare", name="fog")).replace("\\", "")


async def test_a_card_of_a_style_that_is_gone_says_so(studio: Studio, ada: Person, ben: Person) -> None:
    """Buttons of a deleted style answer in words; another's buttons change nothing; deleting by button asks once more."""
    await said(ada, "style save", name="ink", prompt="x")
    await said(ada, "style save", name="ink", prompt="y")
    first, second = [await asked(ada, "style show", name="ink") for _ in range(2)]
    sure = await pressed(ada, first, "Delete")
    assert "with its 2 versions" in words_of(sure)
    back = await pressed(ada, sure, "Keep it")
    assert "### ink" in words_of(back)
    gone = await pressed(ada, await pressed(ada, back, "Delete"), "Delete")
    assert "is removed" in words_of(gone)
    for label in ("Edit", "Versions", "Share here", "Delete"):
        answer = await (await ada.click(second, label)).answered()
        assert "That style is gone" in words_of(answer)
    await said(ada, "style save", name="fog", prompt="fog")
    style = await studio.easel.desk.db.styles.newest(int(ada.id), "fog")
    assert style is not None
    channel = studio.easel.client.get_channel(int(ada.channel("#paint")))
    assert isinstance(channel, discord.TextChannel)
    card = cards.style_card(style, person=int(ada.id), rights=Rights(own=True, share=True))
    await channel.send(view=view.layout(card))
    seen = await ben.wait_for_message("#paint", lambda message: "### fog" in words_of(message))
    for label in ("Edit", "Delete"):
        assert "That style is gone" in words_of(await (await ben.click(seen, label)).answered())
    assert await studio.easel.desk.db.styles.newest(int(ada.id), "fog") == style


async def test_styles_come_from_a_file_and_go_into_one(studio: Studio, ada: Person) -> None:
    """A webui's styles.csv is kept, what is here already told; the export is the same table; an empty one says how to begin."""
    assert "nothing to export" in await said(ada, "style export")
    rows = CSV + b'ink,"{prompt}, ink",blur\nfog,"fog, ""thick""",\nvoid,,\n'
    told = await said(ada, "style import", file=("styles.csv", rows))
    assert "2 styles new" in told
    assert "**void** was left out" in told
    assert "2 here already" in await said(ada, "style import", file=("styles.csv", rows))
    answer = await (await ada.slash("style export", "#paint")).answered()
    (attachment,) = answer["attachments"]
    data = await bytes_at(attachment["url"])
    assert data.startswith(CSV.rstrip(b"\n"))
    kept = [(style.name, style.prompt, style.negative) for style in read_styles(data.decode("utf-8-sig"))]
    assert kept == [("fog", 'fog, "thick"', ""), ("ink", "{prompt}, ink", "blur")]
    assert "not a text in UTF" in await said(ada, "style import", file=("styles.csv", b"\x89PNG\r\n\x1a\n"))
    assert "no table of styles" in await said(ada, "style import", file=("a.html", b"<html>"))
    assert "can be read" in await said(ada, "style import", file=("big.csv", CSV + b"x" * 2**21))


async def test_a_style_whose_model_or_self_is_gone_is_a_sentence(studio: Studio, ada: Person) -> None:
    """Painting with a style that was deleted, or that is painted with a model that is not here, says what to do."""
    db = studio.easel.desk.db
    await db.styles.save(int(ada.id), "old", prompt="x", negative="", settings=StyleSettings(model="lost"), now=1.0)
    assert "model “lost”, which is not here any more" in (await said(ada, "imagine", prompt="a", style="old")).replace(
        "\\", ""
    )
    assert "no style called “nope”" in (await said(ada, "imagine", prompt="a", style="nope")).replace("\\", "")
    await paint(ada, style="old", model="sunset")


REFUSED: tuple[tuple[str, dict[str, object], str], ...] = (
    ("style save", {"name": "x" * 81, "prompt": "ink"}, "at most 80 characters; this one has 81"),
    ("style save", {"name": "x" * 4000, "prompt": "ink"}, "at most 80 characters; this one has 4,000"),
    ("style save", {"name": " ", "prompt": "ink"}, "1 to 80 characters"),
    ("style save", {"name": "ink", "prompt": " "}, "A style needs words"),
    ("style save", {"name": "ink", "prompt": "x" * 4001}, "at most 4,000 characters"),
    ("style save", {"name": "ink", "prompt": "nude child, {prompt}"}, "never paints anything that sexualises minors"),
    ("style save", {"name": "ink", "steps": 0}, "Steps must be"),
    ("style save", {"name": "ink", "cfg": 99.0}, "CFG scale must be"),
    ("style save", {"name": "ink", "size": "1:1"}, "in pixels"),
    ("style save", {"name": "ink", "model": "nothing"}, "no model called"),
    ("style save", {"name": "ink", "lora": "nothing"}, "no LoRA called"),
    ("style delete", {"name": "ink"}, "no style called “ink”"),
    ("style show", {"name": "x" * 4000}, "no style called"),
    ("style versions", {"name": "ink"}, "no style called"),
    ("style edit", {"name": "ink"}, "no style called"),
    ("style share", {"name": "ink"}, "no style called"),
    ("style unshare", {"name": "ink"}, "no shared style called"),
    ("seed save", {"name": "x" * 81, "seed": 7}, "at most 80 characters; this one has 81"),
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
