"""Pictures that leave the gallery: posted in a channel, shown in a server's showcase, packed into zips."""

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from bot.discord_ui.actions import Action
from bot.discord_ui.gallery import packing
from bot.sandbox.driver import Json, Person
from bot.sandbox.faults import on
from bot.sandbox.model import Overwrite
from bot.sandbox.permissions import ATTACH_FILES, SEND_MESSAGES, USE_APPLICATION_COMMANDS
from bot.sandbox.server import Loopback
from storage.database import Database
from storage.gallery_values import Query
from tests.e2e.easel import Studio, button_of, bytes_at, paint, parts_of, pictures_of, settings_in, studio_at, words_of
from tests.e2e.galleries import address_of, changed, choose, labels_of, menu_of, opened_home, press
from tests.e2e.galleries import paint as painted


@pytest.fixture
def db(quick: Studio) -> Database:
    """The studio's memory."""
    return quick.easel.desk.db


async def opened(person: Person, place: str) -> Json:
    """The newest picture of a gallery that was opened in that place."""
    home = await (await person.slash("gallery open", place)).answered()
    return await choose(person, await press(person, home, "Recent"), 1)


def menus_of(message: Json, kind: int) -> list[Json]:
    """The menus of that kind on a card: 3 has lines of ours, 8 has channels."""
    return [part for part in parts_of(message) if part["type"] == kind]


async def post_in(person: Person, asked: Json, channel: str, *, kind: int) -> Json:
    """Choose a channel; the card once it has changed."""
    before = person.message(asked)
    await person.select(asked, menus_of(asked, kind)[0]["custom_id"], [person.channel(channel)])
    return await changed(person, before)


def forbid(loopback: Loopback, person: Person, channel: str, *, who: str, right: int) -> None:
    """Take a right in a channel away from somebody."""
    number = person.channel(channel)
    loopback.world.change_channel(number, overwrites=[Overwrite(id=who, kind=1, deny=right)])


# -- posting ----------------------------------------------------------------------------------------------------------


async def test_posting_from_a_conversation(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """In the conversation the channels are listed where both may post; the post shows the picture with its buttons."""
    await painted(db, ben, 1)
    asked = await press(ben, await opened(ben, ben.open_dm()), "Post")
    names = [option["label"] for option in menus_of(asked, 3)[0]["options"]]
    assert names == ["#paint", "#gallery", "#off-topic", "#after-dark"]
    shown = await post_in(ben, asked, "#off-topic", kind=3)
    posted = ada.last("#off-topic")
    assert f"Posted [there](https://discord.com/channels/{posted.get('guild_id', '')}" in words_of(shown) or (
        posted["id"] in words_of(shown)
    )
    assert f"shared by <@{ben.id}>" in words_of(posted)
    assert len(pictures_of(posted)) == 1
    assert not posted["mentions"]
    assert button_of(posted, Action.UPSCALE)
    await ben.click(posted, button_of(posted, Action.DELETE))
    await ben.until(lambda: ben.message(posted) is None)
    assert (await db.gallery.page(int(ben.id), Query())).total == 1


async def test_posting_in_a_server_asks_for_rights(
    quick: Studio, loopback: Loopback, db: Database, ada: Person, ben: Person
) -> None:
    """Discord lists the channels itself there, so each right of the person and of Easel is asked for when one is chosen."""
    await painted(db, ben, 1)
    ben.accept_direct_messages(accepted=False)
    asked = await press(ben, await opened(ben, "#paint"), "Post")
    for who, right, words in (
        (ben.id, SEND_MESSAGES, "You may not write in"),
        (ben.id, ATTACH_FILES, "You may not attach files in"),
        (loopback.world.bot_id, SEND_MESSAGES, "I may not write in"),
        (loopback.world.bot_id, ATTACH_FILES, "I may not attach files in"),
    ):
        forbid(loopback, ada, "#gallery", who=who, right=right)
        before = ben.messages("#paint")[-1]["id"]
        await ben.select(asked, menus_of(asked, 8)[0]["custom_id"], [ada.channel("#gallery")])
        told = await ben.wait_for_message("#paint", after=before)
        assert words in words_of(told)
    forbid(loopback, ada, "#gallery", who=ben.id, right=0)
    shown = await post_in(ben, asked, "#gallery", kind=8)
    assert "Posted [there]" in words_of(shown)
    assert len(ada.messages("#gallery")) == 1


async def test_only_ones_own_and_only_where_it_may_be(
    quick: Studio, loopback: Loopback, db: Database, ada: Person, ben: Person
) -> None:
    """Somebody else's picture is not posted; one from an age-restricted channel goes into such channels only."""
    (theirs,) = await painted(db, ada, 1)
    await db.images.star(int(ben.id), theirs.id, 1.0)
    home = await opened_home(ben)
    shown = await choose(ben, await press(ben, home, "Starred"), 1)
    await ben.click(shown, "Post")
    told = await ben.wait_for_message(ben.open_dm(), after=shown["id"])
    assert "Only who asked for a picture can post it" in words_of(told)
    loopback.world.change_channel(ada.channel("#paint"), nsfw=True)
    asked = await press(ada, await opened(ada, ada.open_dm()), "Post")
    await ada.select(asked, menu_of(asked)["custom_id"], [ada.channel("#off-topic")])
    told = await ada.wait_for_message(ada.open_dm(), lambda m: "can be posted in" in words_of(m))
    assert not ada.messages("#off-topic")
    assert "Posted" in words_of(await post_in(ada, asked, "#after-dark", kind=3))


# -- the showcase -----------------------------------------------------------------------------------------------------


async def set_showcase(db: Database, person: Person, channel: str, threshold: int) -> None:
    """As if chosen by /admin."""
    guild = address_of(person).guild or 0
    settings = await db.guilds.settings(guild)
    chosen = msgspec.structs.replace(settings, showcase_channel=int(person.channel(channel)), star_threshold=threshold)
    await db.guilds.set(guild, chosen)


async def test_enough_stars_show_a_picture_once(
    quick: Studio, loopback: Loopback, db: Database, ada: Person, ben: Person
) -> None:
    """Stars of others count, one's own does not; at the threshold it is posted, and never again; no star, no unposting."""
    cleo = loopback.person("Cleo")
    await set_showcase(db, ada, "#gallery", 2)
    card = await paint(ada, count=1)
    await ada.click(card, "⭐")
    await ben.click(card, "⭐")
    assert not ada.messages("#gallery")
    cleo.react(card, "⭐")
    shown = await ada.wait_for_message("#gallery")
    assert "⭐ **2**" in words_of(shown)
    assert f"by <@{ada.id}>" in words_of(shown)
    assert len(pictures_of(shown)) == 1
    await ben.click(card, "⭐")
    await ben.click(card, "⭐")
    await cleo.click(shown, "⭐")
    assert await db.showcase.pending() == ()
    assert len(ada.messages("#gallery")) == 1


async def test_a_picture_for_one_alone_is_not_shown(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """What was painted in private comes into no showcase, whoever stars it."""
    await set_showcase(db, ada, "#gallery", 1)
    (image,) = await painted(db, ada, 1, private=True)
    await db.images.star(int(ben.id), image.id, 1.0)
    assert quick.easel.desk.showcase is not None
    await quick.easel.desk.showcase.starred(image.id, image.guild)
    assert await db.showcase.get(image.id) is None


async def test_a_showcase_outlives_a_restart(
    discord_here: None, loopback: Loopback, ada: Person, ben: Person, tmp_path: Path
) -> None:
    """A picture that Discord did not take before Easel went down is posted after the next start, once."""
    loopback.faults.server_error(on("POST", f"/channels/{ada.channel('#gallery')}/messages"), times=50)
    async with studio_at(settings_in(tmp_path), token=loopback.token) as before:
        db = before.easel.desk.db
        await set_showcase(db, ada, "#gallery", 1)
        card = await paint(ada, count=1)
        await ben.click(card, "⭐")
        (waiting,) = await db.showcase.pending()
    loopback.faults.orders.clear()
    async with studio_at(settings_in(tmp_path), token=loopback.token) as after:
        await ada.wait_for_message("#gallery")
        await until(after.easel.desk.db.showcase.pending, ())
        assert len(ada.messages("#gallery")) == 1
        shown = await after.easel.desk.db.showcase.get(waiting.image)
        assert shown is not None
        assert shown.state == "sent"


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Ask storage, which tells nobody of changes, until it answers so."""
    async with asyncio.timeout(20):
        while await ask() != wanted:  # noqa: ASYNC110 - storage tells nobody
            await asyncio.sleep(0)


async def test_a_showcase_that_is_gone_is_let_be(
    quick: Studio, loopback: Loopback, db: Database, ada: Person, ben: Person
) -> None:
    """Where the channel was deleted the star counts all the same, and nobody hears of trouble."""
    await set_showcase(db, ada, "#gallery", 1)
    card = await paint(ada, count=1)
    loopback.world.delete_channel(ada.channel("#gallery"))
    answer = await (await ben.click(card, "⭐")).answered()
    assert "Starred" in words_of(answer)
    await until(db.showcase.pending, ())


# -- zips -------------------------------------------------------------------------------------------------------------


async def zips_in(person: Person, place: str, count: int) -> list[zipfile.ZipFile]:
    """The zips that somebody got, once there are so many."""

    def files() -> list[Json] | None:
        found = [file for m in person.messages(place) for file in m["attachments"] if file["filename"].endswith(".zip")]
        return found if len(found) >= count else None

    found = await person.until(files, timeout=30)
    return [zipfile.ZipFile(io.BytesIO(await bytes_at(file["url"]))) for file in found]


async def test_an_export_is_a_zip(quick: Studio, db: Database, ada: Person) -> None:
    """All pictures, named by job and seed, with their parameters inside; the card says how it ended."""
    card = await paint(ada, count=2)
    exported = await (await ada.slash("gallery export", ada.open_dm())).answered()
    (whole,) = await zips_in(ada, ada.open_dm(), 1)
    (job,) = {image.job for image in await db.images.of_message(int(card["id"]))}
    seeds = [image.seed for image in (await db.gallery.page(int(ada.id), Query())).images]
    assert sorted(whole.namelist()) == sorted(f"job-{job}-{2 - n}-seed-{seed}.png" for n, seed in enumerate(seeds))
    with Image.open(io.BytesIO(whole.read(whole.namelist()[0]))) as picture:
        assert picture.text["parameters"].startswith("a red apple")
    await ada.until(
        lambda: "2 pictures in 1 zip" in words_of(ada.message(exported) or {"content": "", "components": []})
    )
    assert "Cancel" not in labels_of(ada.message(exported) or {})


async def test_what_does_not_fit_is_split(
    quick: Studio, db: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found is exported from its page, in the server for the person alone, in as many zips as Discord needs."""
    await painted(db, ada, 5, prompt="a fox")
    ada.accept_direct_messages(accepted=False)
    page = await (await ada.slash("gallery search", "#paint", words="fox")).answered()
    (first, *_) = (await db.gallery.page(int(ada.id), Query())).images
    room = 2 * (first.bytes + packing.ENTRY) + packing.ENDING + 20
    monkeypatch.setattr("bot.sandbox.interactions.UPLOAD_LIMIT", room)
    await ada.click(page, "Zip")
    found = await zips_in(ada, "#paint", 3)
    assert [len(each.namelist()) for each in found] == [2, 2, 1]


async def test_exports_that_cannot_be(
    quick: Studio, db: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty shelf, too many pictures, and the button of an export that ended with an earlier Easel are sentences."""
    nothing = await (await ada.slash("gallery export", ada.open_dm(), where="starred")).answered()
    assert "no picture to put into a zip" in words_of(nothing)
    await painted(db, ada, 3)
    monkeypatch.setattr(packing, "PICTURES", 2)
    many = await (await ada.slash("gallery export", ada.open_dm())).answered()
    assert "an export has at most" in words_of(many)
    assert "There is no collection called" in words_of(
        await (await ada.slash("gallery export", ada.open_dm(), where="foxes")).answered()
    )


async def test_an_export_is_cancelled(quick: Studio, loopback: Loopback, db: Database, ada: Person) -> None:
    """🛑 stops it while Discord does not answer; pressed again, after it ended, its card says so."""
    await painted(db, ada, 2)
    place = ada.open_dm()
    loopback.faults.server_error(on("POST", f"/channels/{place}/messages"), times=50)
    card = await (await ada.slash("gallery export", place)).answered()
    again = await (await ada.slash("gallery export", place)).answered()
    assert "still being packed" in words_of(again)
    await ada.click(card, "Cancel")
    await ada.until(lambda: "Stopped" in words_of(ada.message(card) or card), timeout=30)


# -- history ----------------------------------------------------------------------------------------------------------


async def test_history_is_not_kept(quick: Studio, db: Database, ada: Person, ben: Person) -> None:
    """With history off a picture is shown and not kept: buttons say so, its owner may still take the message away."""
    kept = await paint(ada, count=1)
    answer = await (await ada.slash("gallery history", "#paint", choice="forget")).answered()
    assert "not kept" in words_of(answer)
    card = await paint(ada, count=1)
    await until(lambda: _total(db, ada), 1)
    for button in ("Upscale", "Send PNG", "⭐", "ℹ️"):
        told = await (await ben.click(card, button)).answered()
        assert "shown and not kept" in words_of(told)
    home = await opened_home(ada)
    assert "No history is kept" in words_of(home)
    await ben.click(card, "🗑️")
    refused = await ben.wait_for_message("#paint", lambda m: "can delete it" in words_of(m))
    assert "Only who asked" in words_of(refused)
    await ada.click(card, "🗑️")
    await ada.until(lambda: ada.message(card) is None)
    job, *_ = await db.jobs.recent_of(int(ada.id))
    assert (job.prompt, job.kind) == ("", "unkept")
    assert job.rows > 0
    answer = await (await ada.slash("gallery history", "#paint", choice="keep")).answered()
    assert "is kept from now on" in words_of(answer)
    assert await (await ada.click(kept, "ℹ️")).answered()
    await paint(ada, count=1)
    await until(lambda: _total(db, ada), 2)


async def _total(db: Database, person: Person) -> int:
    return (await db.gallery.page(int(person.id), Query())).total


# -- reactions --------------------------------------------------------------------------------------------------------


async def test_a_sign_needs_the_rights_of_a_command(
    quick: Studio, loopback: Loopback, db: Database, ada: Person, ben: Person
) -> None:
    """Who may not use commands in a channel paints nothing there with a reaction, and hears why; a star is free."""
    card = await paint(ada, count=1)
    forbid(loopback, ada, "#paint", who=ben.id, right=USE_APPLICATION_COMMANDS)
    ben.react(card, "🔁")
    told = await ben.wait_for_message(ben.open_dm())
    assert "may not use commands in that channel" in words_of(told)
    assert await db.jobs.recent_of(int(ben.id)) == ()


async def test_both_ways_to_delete_agree_in_a_conversation(
    quick: Studio, db: Database, ada: Person, ben: Person
) -> None:
    """In the conversation with the bot ❌ and 🗑 both take away a letter with somebody else's picture, and leave the picture."""
    card = await paint(ada, count=1)
    for way in ("❌", "🗑️"):
        ben.react(card, "✉️")
        letter = await ben.wait_for_message(ben.open_dm(), lambda m: bool(pictures_of(m)))
        if way == "❌":
            ben.react(letter, way)
        else:
            await ben.click(letter, way)
        await ben.until(lambda letter=letter: ben.message(letter) is None)
        ben.unreact(card, "✉️")
        quick.easel.desk.reactions.again("nothing", now=0.0)  # as if the five seconds had passed
    assert (await db.gallery.page(int(ada.id), Query())).total == 1
