"""The gallery with the real client and real SQLite: where it opens, how it is paged through, and being forgotten."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot.discord_ui import view
from bot.discord_ui.actions import Action, Ticket, read_ticket
from bot.discord_ui.gallery import home, parting
from bot.sandbox.driver import Person
from bot.sandbox.forms import Refused
from bot.sandbox.server import Loopback
from inference.client.gates import HeldGate
from storage.database import Database
from storage.gallery_values import Query
from tests.e2e.easel import Studio, button_of, pictures_of, settings_in, studio_at, words_of
from tests.e2e.galleries import (
    HOME,
    MESSAGE,
    NOW,
    OCTOBER,
    address_of,
    choose,
    labels_of,
    level,
    lose_file,
    menu_of,
    opened_home,
    paint,
    press,
    reds,
    shelf_of,
)


@pytest.fixture
def gate() -> HeldGate:
    """Holds every job at every point."""
    return HeldGate()


@pytest.fixture
async def studio(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gate: HeldGate
) -> AsyncIterator[Studio]:
    """A studio in the loopback Discord at noon of the fifth of November; its painter stands still."""
    monkeypatch.setattr(discord.http.Route, "BASE", loopback.urls.api)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(loopback.urls.gateway))
    async with studio_at(settings_in(tmp_path), token=loopback.token, gate=gate, now=lambda: NOW) as running:
        yield running


@pytest.fixture
def db(studio: Studio) -> Database:
    """The studio's memory."""
    return studio.easel.desk.db


async def test_in_a_server_it_opens_in_the_conversation(studio: Studio, db: Database, ada: Person, ben: Person) -> None:
    """The home goes to the person's direct messages; the server sees nothing, and they alone a note that links to it."""
    await paint(db, ada, 2)
    note = await (await ada.slash("gallery open", "#paint")).answered()
    sent = ada.last(ada.open_dm())
    assert f"https://discord.com/channels/@me/{sent['channel_id']}/{sent['id']}" in words_of(note)
    assert ben.message(note) is None
    assert "2 pictures · 0 ⭐" in words_of(sent)
    assert labels_of(sent) == HOME


async def test_closed_conversations_open_it_in_the_server(
    studio: Studio, db: Database, ada: Person, ben: Person
) -> None:
    """Where direct messages are closed, the same pages are shown in the server to the person alone, and work there."""
    await paint(db, ada, 2)
    ada.accept_direct_messages(accepted=False)
    home = await (await ada.slash("gallery open", "#paint")).answered()
    assert "direct messages are closed" in words_of(home)
    page = await press(ada, home, "Recent")
    assert len(pictures_of(page)) == 1
    shown = await choose(ada, page, 2)
    assert "seed `1`" in words_of(shown)
    assert ben.message(home) is None
    assert len(ada.messages("#paint")) == 1


async def test_pages_are_turned_in_one_message(studio: Studio, db: Database, ada: Person) -> None:
    """Nine a page, newest first; ◀ ▶ change the same message and are switched off at the ends."""
    await paint(db, ada, 21)
    home = await opened_home(ada)
    page = await press(ada, home, "Recent")
    assert "page 1 of 3" in words_of(page)
    assert shelf_of(page) == {number: 22 - number for number in range(1, 10)}
    newest, ninth = await reds(page, (8 + 128, 8 + 128), (8 + 2 * 264 + 128, 8 + 2 * 264 + 128))
    assert newest == pytest.approx(level(21), abs=6)
    assert ninth == pytest.approx(level(13), abs=6)
    with pytest.raises(Refused, match="switched off"):
        await ada.click(page, "◀️")
    page = await press(ada, await press(ada, page, "▶️"), "▶️")
    assert shelf_of(page) == {19: 3, 20: 2, 21: 1}
    with pytest.raises(Refused, match="switched off"):
        await ada.click(page, "▶️")
    assert "page 2 of 3" in words_of(await press(ada, page, "◀️"))
    assert len(ada.messages(ada.open_dm())) == 1


async def test_a_picture_is_opened_and_put_back(studio: Studio, db: Database, ada: Person) -> None:
    """The menu opens the picture of that number with its usual buttons and a link to its card; Back leads to its page."""
    made = await paint(db, ada, 12)
    page = await press(ada, await press(ada, await opened_home(ada), "Recent"), "▶️")
    shown = await choose(ada, page, 11)
    assert await reds(shown, (32, 32)) == [pytest.approx(level(2), abs=6)]
    assert "`gradient` · seed `2` · 64 × 64" in words_of(shown)
    place = address_of(ada)
    assert f"https://discord.com/channels/{place.guild}/{place.channel}/{MESSAGE}" in words_of(shown)
    assert button_of(shown, Action.UPSCALE) == Ticket(Action.UPSCALE, made[1].id).custom_id
    assert labels_of(shown)[-4:] == ["Back", "Home", "Collections", "Post"]
    page = await press(ada, shown, "Back")
    assert "page 2 of 2" in words_of(page)
    assert labels_of(await press(ada, page, "Home")) == HOME


async def test_stars_are_a_shelf_of_their_own(studio: Studio, db: Database, ada: Person, ben: Person) -> None:
    """What somebody starred stands under Starred, whoever made it, and can be looked at only while it is starred."""
    first, second = await paint(db, ben, 2)
    home = await opened_home(ada)
    assert "No stars yet" in words_of(await press(ada, home, "Starred"))
    for image in (first, second):
        await db.images.star(int(ada.id), image.id, NOW)
    page = await press(ada, await press(ada, home, "Home"), "Starred")
    assert shelf_of(page) == {1: 2, 2: 1}
    assert "seed `2`" in words_of(await choose(ada, page, 1))
    page = await press(ada, page, "Back")
    await db.images.unstar(int(ada.id), first.id)
    menu = menu_of(page)
    await ada.select(page, menu["custom_id"], [str(first.id)])
    assert "neither yours nor among" in words_of(await ada.wait_for_message(ada.open_dm(), after=page["id"]))
    assert await db.images.get(first.id) is not None


async def test_what_was_deleted_meanwhile_is_a_sentence(studio: Studio, db: Database, ada: Person) -> None:
    """Opening a picture that is gone says so beside the page, which stays; a page that is gone becomes the last there is."""
    made = await paint(db, ada, 10)
    page = await press(ada, await opened_home(ada), "Recent")
    last = await press(ada, page, "▶️")
    page = await press(ada, last, "◀️")
    for image in made[:9]:
        await db.images.remove(image.id)
    menu = menu_of(page)
    await ada.select(page, menu["custom_id"], [str(made[8].id)])
    told = await ada.wait_for_message(ada.open_dm(), after=page["id"])
    assert "That picture is gone" in words_of(told)
    assert ada.message(page) == page
    page = await press(ada, page, "▶️")
    assert shelf_of(page) == {1: 10}
    assert "▶️" not in labels_of(page)


async def test_a_lost_file_does_not_hide_the_others(studio: Studio, db: Database, ada: Person, tmp_path: Path) -> None:
    """A picture whose file is gone from the disk is counted, and the rest of its page is shown."""
    made = await paint(db, ada, 3)
    lose_file(tmp_path, made[1])
    page = await press(ada, await opened_home(ada), "Recent")
    assert "3 pictures, newest first · 1 picture of this page cannot be shown any more" in words_of(page)
    assert shelf_of(page) == {1: 3, 2: 1}


async def test_a_picture_is_deleted_where_it_is_open(studio: Studio, db: Database, ada: Person, ben: Person) -> None:
    """🗑️ deletes one's own picture with its file and shows its page again; somebody else's is not theirs to delete."""
    made = await paint(db, ada, 2)
    await db.images.star(int(ben.id), made[1].id, NOW)
    theirs = await choose(ben, await press(ben, await opened_home(ben), "Starred"), 1)
    await ben.click(theirs, "🗑️")
    told = await ben.wait_for_message(ben.open_dm(), after=theirs["id"])
    assert "Only who asked for this picture can delete it" in words_of(told)
    assert await db.images.data(made[1].id)
    shown = await choose(ada, await press(ada, await opened_home(ada), "Recent"), 1)
    page = await press(ada, shown, "🗑️")
    assert "The picture is deleted." in words_of(page)
    assert shelf_of(page) == {1: 1}
    assert await db.images.get(made[1].id) is None
    assert not await db.pictures.has(made[1].sha256)
    assert "No stars yet" in words_of(await press(ben, theirs, "Back"))


async def test_usage_counts_this_month(studio: Studio, db: Database, ada: Person) -> None:
    """Usage shows pictures and seconds since the first of the month, and all stars."""
    old, *_ = await paint(db, ada, 1, now=OCTOBER)
    await paint(db, ada, 3)
    await db.images.star(int(ada.id), old.id, NOW)
    usage = await press(ada, await opened_home(ada), "Usage")
    assert words_of(usage).splitlines()[2:] == ["3 pictures made", "8 s of painting", "1 star in all"]
    assert "Recent" in labels_of(await press(ada, usage, "Home"))


async def test_a_gallery_without_pictures_says_how_to_get_some(studio: Studio, ada: Person) -> None:
    """Home and Recent name /imagine before there is anything to show."""
    home = await opened_home(ada)
    assert "`/imagine`" in words_of(home)
    assert "`/imagine`" in words_of(await press(ada, home, "Recent"))


async def test_in_anothers_gallery_everybody_finds_their_own(
    studio: Studio, db: Database, ada: Person, ben: Person
) -> None:
    """Whoever presses a button of somebody else's gallery is shown their own, alone; what they pressed stays as it was."""
    await paint(db, ada, 3)
    await paint(db, ben, 1)
    channel = studio.easel.client.get_partial_messageable(address_of(ada).channel)
    card = home.home_card(home.HomeFacts(person=int(ada.id), pictures=3, starred=0))
    await channel.send(view=view.layout(card))
    seen = ben.last("#paint")
    for button in ("Recent", "Usage"):
        answer = await (await ben.click(seen, button)).answered()
        assert "1 picture · 0 ⭐" in words_of(answer)
        assert ada.message(answer) is None
        assert f"easel:page:{_base36(int(ben.id))}:recent-1" == button_of(answer, Action.PAGE)
    assert words_of(ben.message(seen) or {}) == words_of(seen)


def _base36(number: int) -> str:
    return Ticket(Action.HOME, number).custom_id.split(":")[2]


async def test_being_forgotten(studio: Studio, db: Database, ada: Person, ben: Person, gate: HeldGate) -> None:
    """After a second press open jobs end with their cards, all that is the person's is removed, and nothing of others'."""
    made = await paint(db, ada, 2)
    (kept,) = await paint(db, ben, 1)
    me = int(ada.id)
    await db.images.star(me, kept.id, NOW)
    await db.styles.save(me, "ink", prompt="ink", negative="", now=NOW)
    await db.seeds.save(me, "lucky", 7, NOW)
    queued = await (await ada.slash("imagine", "#paint", prompt="a pear", model="gradient")).answered()
    ticket = read_ticket(button_of(queued, Action.CANCEL))
    assert ticket is not None
    await gate.reached(ticket.id, "painting")
    card = await (await ada.slash("gallery forget-me", "#paint")).answered()
    assert ben.message(card) is None
    words = words_of(card)
    for phrase in ("2 pictures of yours", "1 star,", "1 saved style", "1 saved seed", "1 unfinished job"):
        assert phrase in words
    job = await db.jobs.get(ticket.id)
    assert job is not None
    done = await press(ada, card, "Forget me")
    assert "2 pictures removed" in words_of(done)
    assert studio.easel.desk.dispatcher.standing(job.id) is None
    await ada.until(lambda: ada.message(queued) is None)
    await studio.easel.delivery.cancelled(job)  # told late, of a row that is gone: no accident
    assert await db.jobs.get(job.id) is None
    assert (await db.gallery.page(me, Query())).total == (await db.gallery.page(me, Query(starred=True))).total == 0
    assert not await db.styles.of(me, None)
    assert not await db.seeds.of(me)
    assert not await db.pictures.has(made[1].sha256)
    assert await db.images.data(kept.id)
    again = await (await ada.slash("gallery forget-me", "#paint")).answered()
    assert "There is nothing of yours here" in words_of(again)


async def test_only_oneself_can_be_forgotten(studio: Studio, db: Database, ada: Person, ben: Person) -> None:
    """The button in anybody else's hands forgets nobody and says whose it is; "Keep everything" forgets nobody either."""
    await paint(db, ada, 1)
    channel = studio.easel.client.get_partial_messageable(address_of(ada).channel)
    asked = parting.Belongings(person=int(ada.id), pictures=1, starred=0, styles=0, seeds=0, jobs=0)
    await channel.send(view=view.layout(parting.forget_card(asked)))
    answer = await (await ben.click(ben.last("#paint"), "Forget me")).answered()
    assert re.search("Only the person who is to be forgotten", words_of(answer))
    card = await (await ada.slash("gallery forget-me", "#paint")).answered()
    assert "1 picture · 0 ⭐" in words_of(await press(ada, card, "Keep everything"))
    assert (await db.gallery.page(int(ada.id), Query())).total == 1
