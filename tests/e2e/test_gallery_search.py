"""Finding pictures and putting them into collections, with the real client and real SQLite; and families."""

from pathlib import Path

import pytest

from bot.discord_ui import view
from bot.discord_ui.actions import Action
from bot.discord_ui.gallery.keeping import list_of as keeping_list
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from storage.database import Database
from storage.gallery_values import Query
from tests.e2e.easel import Studio, button_of, paint, parts_of, settings_in, studio_at, words_of
from tests.e2e.galleries import OCTOBER, address_of, changed, choose, labels_of, opened_home, press, shelf_of
from tests.e2e.galleries import paint as painted

HOSTILE = (
    '"',
    "' OR 1=1 --",
    "fox* NOT apple",
    'a" OR "b',
    "NEAR(a b)",
    "words:fox",
    "^fox",
    "()",
    "%_",
    "\\",
    "x" * 4000,
)


@pytest.fixture
def db(quick: Studio) -> Database:
    """The studio's memory."""
    return quick.easel.desk.db


async def searched(person: Person, **options: str) -> Json:
    """What a search shows in the conversation with the bot."""
    return await (await person.slash("gallery search", person.open_dm(), **options)).answered()


def menus_of(message: Json) -> list[Json]:
    """The menus of a card, from the top."""
    return [part for part in parts_of(message) if part["type"] == 3]


async def fill(person: Person, message: Json, button: str, **values: object) -> Json:
    """Open a form by a button, fill it in and send it; the message once it has changed."""
    before = person.message(message)
    form = await person.click(message, button)
    await person.submit(form, values)
    return await changed(person, before)


async def test_words_find_and_stay_found(quick: Studio, db: Database, ada: Person) -> None:
    """Every word must begin a word of the prompt, in any case; pages of what is found can be turned, and say what was asked."""
    await painted(db, ada, 12, prompt="A Red Fox, café")
    await painted(db, ada, 1, prompt="a red apple")
    page = await searched(ada, words="RED cafe fo")
    assert "12 pictures, newest first" in words_of(page)
    assert "with `red cafe fo`" in words_of(page)
    page = await press(ada, page, "▶️")
    assert shelf_of(page) == {10: 3, 11: 2, 12: 1}
    shown = await choose(ada, page, 10)
    assert "page 2 of 2" in words_of(await press(ada, shown, "Back"))
    nothing = await searched(ada, words="red elephant")
    assert "Nothing of yours is like that" in words_of(nothing)


async def test_nothing_that_is_typed_breaks_a_search(quick: Studio, db: Database, ada: Person) -> None:
    """Signs that mean something to SQLite or to its search mean nothing here: each is a page or one sentence."""
    await painted(db, ada, 1, prompt="a fox")
    for words in HOSTILE:
        answer = await searched(ada, words=words)
        assert "went wrong" not in words_of(answer)
    assert "no letters or digits" in words_of(await searched(ada, words="()"))
    assert "no time that I know" in words_of(await searched(ada, when="soon"))
    assert "no collection called" in words_of(await searched(ada, where="nowhere"))
    assert "up to 32 words" in words_of(await searched(ada, words=" ".join(map(str, range(40)))))


async def test_names_and_dates_narrow_it_down(quick: Studio, db: Database, ada: Person) -> None:
    """Model, LoRA and day are asked together with words; what is typed is completed from what was used."""
    await painted(db, ada, 1, prompt="a fox <lora:ink:0.8>")
    await painted(db, ada, 1, prompt="a fox", now=OCTOBER)
    assert [each["value"] for each in await ada.autocomplete("gallery search", "#paint", "lora", "in")] == ["ink"]
    assert "1 picture" in words_of(await searched(ada, words="fox", lora="INK"))
    assert "1 picture" in words_of(await searched(ada, words="fox", when="2026-10"))
    assert "2 pictures" in words_of(await searched(ada, model="gradient"))
    refused = words_of(await searched(ada, model="painter"))
    assert "no Model called “painter”" in refused
    assert [each["value"] for each in await ada.autocomplete("gallery search", "#paint", "where", "s")] == ["starred"]


async def test_the_form_and_the_menu_of_orders(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """🔎 opens with what is looked for; the menu sorts; both keep the shelf, and stars bring their picture to the top."""
    first, *_ = await painted(db, ada, 2, prompt="a fox")
    await painted(db, ada, 1, prompt="an apple")
    await db.images.star(int(ben.id), first.id, 1.0)
    page = await press(ada, await opened_home(ada), "Recent")
    page = await fill(ada, page, "Find", words="fox")
    assert shelf_of(page) == {1: 2, 2: 1}
    before = ada.message(page)
    await ada.select(page, menus_of(page)[1]["custom_id"], ["stars"])
    page = await changed(ada, before)
    assert "most starred first" in words_of(page)
    assert shelf_of(page) == {1: 1, 2: 2}
    form = await ada.click(page, "Find")
    assert form.modal is not None
    values = [part["component"].get("value") for part in form.modal["components"]]
    assert values[0] == "fox"
    page = await fill(ada, page, "Find", words="", model="fruit/gradient")
    assert "3 pictures, most starred first" in words_of(page)


async def test_a_search_outlives_a_restart(discord_here: None, loopback: Loopback, ada: Person, tmp_path: Path) -> None:
    """The buttons of what was found work after Easel was started anew, and find what was painted meanwhile."""
    async with studio_at(settings_in(tmp_path), token=loopback.token) as before:
        await painted(before.easel.desk.db, ada, 10, prompt="a fox")
        page = await searched(ada, words="fox")
    async with studio_at(settings_in(tmp_path), token=loopback.token) as after:
        await painted(after.easel.desk.db, ada, 1, prompt="fox and hound")
        page = await press(ada, page, "▶️")
        assert "11 pictures" in words_of(page)
        await after.easel.desk.db.people.forget(int(ada.id))
        await ada.click(page, "◀️")
        told = await ada.wait_for_message(ada.open_dm(), after=page["id"])
        assert "That search is forgotten" in words_of(told)


async def test_a_collection_is_made_filled_renamed_and_deleted(quick: Studio, db: Database, ada: Person) -> None:
    """From an opened picture into a new collection, out of it and in again; renamed, exported nowhere, deleted: pictures stay."""
    await painted(db, ada, 2)
    home = await opened_home(ada)
    assert "No collections yet" in words_of(await press(ada, home, "Collections"))
    page = await press(ada, await press(ada, home, "Home"), "Recent")
    keeping = await press(ada, await choose(ada, page, 1), "Collections")
    keeping = await fill(ada, keeping, "New", name="Foxes")
    assert "lies in: **Foxes**" in words_of(keeping)
    before = ada.message(keeping)
    (collection,) = await db.collections.of(int(ada.id))
    await ada.select(keeping, menus_of(keeping)[0]["custom_id"], [str(collection.id)])
    keeping = await changed(ada, before)
    assert "Taken out of **Foxes**" in words_of(keeping)
    assert "lies in: none" in words_of(keeping)
    before = ada.message(keeping)
    await ada.select(keeping, menus_of(keeping)[0]["custom_id"], [str(collection.id)])
    shown = await press(ada, await changed(ada, before), "Back")
    listed = await press(ada, await press(ada, shown, "Home"), "Collections")
    assert "**Foxes** · 1 picture" in words_of(listed)
    before = ada.message(listed)
    await ada.select(listed, menus_of(listed)[0]["custom_id"], [str(collection.id)])
    page = await changed(ada, before)
    assert shelf_of(page) == {1: 2}
    page = await fill(ada, page, "Rename", name="Red ones")
    assert "### 📁 Red ones" in words_of(page)
    assert "1 picture" in words_of(await searched(ada, where="red ONES", words="apple"))
    asked = await press(ada, page, "Delete collection")
    assert "Its 1 picture stay" in words_of(asked)
    assert "Red ones** is deleted" in words_of(await press(ada, asked, "Delete"))
    assert (await db.gallery.page(int(ada.id), Query())).total == 2


async def test_many_collections_are_paged(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """Thirty collections stand on two pages, also where one picture is put in; nobody opens another's."""
    for number in range(30):
        await db.collections.create(int(ada.id), f"no {number:02}", now=1.0)
    listed = await (await ada.slash("gallery collections", ada.open_dm())).answered()
    assert len(menus_of(listed)[0]["options"]) == 25
    listed = await press(ada, listed, "▶️")
    assert [each["label"] for each in menus_of(listed)[0]["options"]] == [f"no {n}" for n in range(25, 30)]
    await painted(db, ada, 1)
    page = await press(ada, await press(ada, listed, "Home"), "Recent")
    keeping = await press(ada, await press(ada, await choose(ada, page, 1), "Collections"), "▶️")
    assert len(menus_of(keeping)[0]["options"]) == 5
    card = view.layout(await keeping_list(quick.easel.desk, int(ada.id)))
    await quick.easel.client.get_partial_messageable(address_of(ada).channel).send(view=card)
    (hers, *_) = await db.collections.of(int(ada.id))
    seen = ben.last("#paint")
    answer = await (await ben.select(seen, menus_of(seen)[0]["custom_id"], [str(hers.id)])).answered()
    assert "That was somebody else's gallery" in words_of(answer)


async def test_a_family_is_linked(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """An opened picture leads to the one it came from and to those made from it; a parent that is deleted is said."""
    (parent,) = await painted(db, ada, 1, message=9001)
    (child, _) = await painted(db, ada, 2, message=9002, parent=parent.id, prompt="a child")
    page = await searched(ada, words="child")
    shown = await choose(ada, page, 1)
    place = address_of(ada)
    assert f"from [this picture](https://discord.com/channels/{place.guild}/{place.channel}/9001)" in words_of(shown)
    up = await press(ada, shown, "Came from")
    assert "2 pictures made from it" in words_of(up)
    family = await press(ada, up, "2 made from it")
    assert "👪 Family" in words_of(family)
    assert shelf_of(family) == {1: 2, 2: 1}
    await db.images.remove(parent.id)
    shown = await choose(ada, await searched(ada, words="child"), 1)
    assert "from a picture that is gone" in words_of(shown)
    assert "Came from" not in labels_of(shown)
    assert child.parent == parent.id


async def test_the_family_of_a_card(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """👪 under a result shows to who pressed what it came from and what was made of it; what they may not see is counted."""
    card = await paint(ada, count=1)
    (image,) = await db.images.of_message(int(card["id"]))
    assert "came from no other picture" in words_of(await (await ben.click(card, "Family")).answered())
    varied = await (await ada.click(card, "Vary subtle")).answered()
    await ada.until(lambda: ada.message(varied) is None)
    await painted(db, ada, 1, parent=image.id, private=True, message=0)
    family = await (await ben.click(card, "Family")).answered()
    assert "1 picture of this page were shown where you are not" in words_of(family)
    assert len(shelf_of(family)) == 4
    assert ada.message(family) is None
    own = await (await ada.click(card, "Family")).answered()
    assert len(shelf_of(own)) == 5
    shown = await choose(ben, family, 1)
    assert button_of(shown, Action.UPSCALE)
