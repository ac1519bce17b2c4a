"""Finding pictures by words, names and dates, in orders; an index that forgets what is deleted; families; searches."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.api.enlarging import UpscaleRequest
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from inference.api.result import ImageResult
from storage.database import FILE, Database
from storage.gallery import KEPT
from storage.gallery_values import Order, Query
from storage.values import Address, Image, Said
from storage.words import kept_words, words_in, words_of

Painter = Callable[..., Awaitable[Image]]


@pytest.fixture
def picture(database: Database) -> Painter:
    """Paint one picture of these words, as if shown."""

    async def picture(
        words: str = "a red fox",
        *,
        person: int = 3,
        model: str = "painter",
        now: float = 20.0,
        parent: int | None = None,
        styles: tuple[str, ...] = (),
        upscaled: str = "",
    ) -> Image:
        painting = GenerationRequest(prompt=Prompt(words), canvas=Canvas(64, 64), seeds=Seeds(5), model=ModelRef(model))
        request = UpscaleRequest(picture=upscaled, upscaler="lanczos") if upscaled else painting
        job = await database.jobs.add(
            address=Address(channel=1, guild=2, person=person), request=request, kind="imagine", prompt=words,
            parent=parent, cost=1.0, now=now, said=Said(styles=styles),
        )  # fmt: skip
        await database.jobs.start(job.id)
        (image,) = await database.jobs.render(
            job.id, images=[ImageResult(words.encode(errors="replace"), 64, 64, 5, "")], requests=[request],
            models=["lanczos" if upscaled else model], seconds=1.0, rows=1, now=now,
        )  # fmt: skip
        await database.jobs.deliver(job.id, message=77, channel=1, now=now)
        return image

    return picture


async def found(database: Database, query: Query, person: int = 3) -> list[int]:
    """Ids of what a query finds, in its order."""
    page = await database.gallery.page(person, query, limit=100)
    assert page.total == len(page.images)
    return [image.id for image in page.images]


async def test_all_words_must_begin_a_word(database: Database, picture: Painter) -> None:
    """A search finds beginnings of words in any case and accent, all of them, among this person's pictures alone."""
    fox = (await picture("A Réd FOX, (masterpiece:1.2) <lora:ink:0.8>")).id
    await picture("red fox", person=4)
    await picture("a red apple")
    for words in ("fox", "fo re", "RED fox", "réd f", "masterp fox"):
        assert await found(database, Query(words=words)) == [fox], words
    for words in ("ox", "fox apple", "ink", "lora"):
        assert await found(database, Query(words=words)) == [], words


async def test_shelves_are_searched_alike(database: Database, picture: Painter) -> None:
    """Own pictures, stars and collections answer the same words with the same pictures, whoever painted them."""
    mine, theirs = await picture("黒い猫 🦊 café"), await picture("a cat, 黒", person=4)
    collection, _ = await database.collections.create(3, "cats", now=1.0)
    for image in (mine, theirs):
        await database.images.star(3, image.id, 1.0)
        await database.collections.toggle(3, collection.id, image.id, now=1.0)
    for words, both in (("黒", True), ("猫", False), ("🦊", False), ("CAFE", False), ("", True)):
        expected = [theirs.id, mine.id] if both else [mine.id]
        assert await found(database, Query(starred=True, words=words)) == expected
        assert await found(database, Query(collection=collection.id, words=words)) == expected
        assert await found(database, Query(words=words)) == [mine.id]
    assert await found(database, Query(collection=collection.id), person=4) == []


async def test_names_and_dates(database: Database, picture: Painter) -> None:
    """Model, LoRA and style are whole names in any case; time is from a moment on and before another."""
    inked = await picture("fox <lora:Ink:0.8> <lora:fur:1>", styles=("Moody", "old photo"), now=10.0)
    bare = await picture("fox", model="SD/other", now=20.0)
    assert await found(database, Query(lora="INK")) == [inked.id]
    assert await found(database, Query(lora="in")) == []
    assert await found(database, Query(style="old  PHOTO", lora="fur", words="fox", model="painter")) == [inked.id]
    assert await found(database, Query(model="sd/OTHER")) == [bare.id]
    assert await found(database, Query(since=20.0)) == [bare.id]
    assert await found(database, Query(until=20.0)) == [inked.id]
    assert await database.gallery.names(3, "lora", Query()) == ("fur", "Ink")
    assert await database.gallery.names(3, "model", Query()) == ("painter", "SD/other")
    assert await database.gallery.names(3, "style", Query(starred=True)) == ()
    await database.images.star(4, inked.id, 1.0)
    assert await database.gallery.names(4, "style", Query(starred=True)) == ("Moody", "old photo")


async def test_names_are_handed_down(database: Database, picture: Painter) -> None:
    """A variation without a word about styles has those of its picture; an enlargement all of its names."""
    first = await picture("fox <lora:ink:1>", styles=("moody",))
    varied = await picture("fox <lora:ink:1>", parent=first.id)
    restyled = await picture("fox", parent=first.id, styles=("plain",))
    larger = await picture("fox", parent=first.id, upscaled=first.sha256)
    assert await found(database, Query(style="moody")) == [larger.id, varied.id, first.id]
    assert await found(database, Query(style="plain")) == [restyled.id]
    assert await found(database, Query(model="painter", lora="ink", words="fox")) == [larger.id, varied.id, first.id]
    assert await found(database, Query(model="lanczos")) == []


async def test_orders(database: Database, picture: Painter) -> None:
    """Newest, oldest, and most starred first, the newer before the older where stars are equal."""
    one, two, three = [(await picture(f"fox {n}")).id for n in range(3)]
    for person, image in ((4, one), (5, one), (4, two), (3, three)):
        await database.images.star(person, image, 1.0)
    assert await found(database, Query(order=Order.NEWEST)) == [three, two, one]
    assert await found(database, Query(order=Order.OLDEST, words="fox")) == [one, two, three]
    assert await found(database, Query(order=Order.STARS)) == [one, three, two]


async def test_what_is_deleted_is_not_found(database: Database, picture: Painter, folder: Path) -> None:
    """Deleting a picture, or being forgotten, takes it out of the index; after a forgetting no word is left in the file."""
    kept, gone = await picture("elephant one"), await picture("elephant two", person=3)
    secret = await picture("zygomorphic xylophone", person=9, styles=("nobodysstyle",))
    await database.images.star(9, kept.id, 1.0)
    await database.gallery.remember(9, Query(words="quizzaciously"), now=1.0)
    await database.images.remove(gone.id)
    assert await found(database, Query(words="eleph")) == [kept.id]
    assert await database.people.forget(9) == 1
    assert await found(database, Query(words="zygo"), person=9) == []
    await database.close()
    whole = b"".join(path.read_bytes() for path in folder.glob(f"{FILE}*"))
    for word in (b"zygomorphic", b"nobodysstyle", b"quizzaciously"):
        assert word not in whole
    assert b"elephant" in whole
    with closing(sqlite3.connect(folder / FILE)) as connection:
        rows = connection.execute("SELECT rowid FROM search WHERE search MATCH ?", (f'"{9}_zygo" *',)).fetchall()
        assert rows == []
        connection.execute("INSERT INTO search(search) VALUES ('integrity-check')")
    assert secret.id


async def test_the_index_outlives_a_restart(database: Database, picture: Painter, folder: Path) -> None:
    """What was painted before a restart is found after it, together with what is painted then."""
    before = await picture("elephant one")
    await database.close()
    again = await Database.open(folder)
    try:
        assert await found(again, Query(words="ele one")) == [before.id]
    finally:
        await again.close()


async def test_families(database: Database, picture: Painter) -> None:
    """A picture's kin is its parent, then its children from the newest; where the parent goes, that it had one stays known."""
    parent = await picture("parent")
    centre = await picture("centre", parent=parent.id)
    children = [(await picture(f"child {n}", parent=centre.id)).id for n in range(3)]
    page = await database.gallery.kin(centre.id, limit=3)
    assert ([image.id for image in page.images], page.total) == ([parent.id, *children[:0:-1]], 4)
    assert await database.gallery.children(centre.id) == 3
    await database.images.remove(parent.id)
    orphan = await database.images.get(centre.id)
    assert orphan is not None
    assert (orphan.parent, orphan.origin) == (None, parent.id)
    late = await picture("late", parent=parent.id)
    assert (late.parent, late.origin) == (None, parent.id)
    assert (await picture("of nothing")).origin is None


async def test_who_may_open(database: Database, picture: Painter) -> None:
    """One's own, what one stars, and what lies in one's collections; nothing else of others."""
    theirs = await picture("fox", person=4)
    assert await database.gallery.may_open(4, theirs.id)
    assert not await database.gallery.may_open(3, theirs.id)
    collection, _ = await database.collections.create(3, "foxes", now=1.0)
    await database.collections.toggle(3, collection.id, theirs.id, now=1.0)
    assert await database.gallery.may_open(3, theirs.id)
    assert not await database.gallery.may_open(5, theirs.id)


async def test_searches_are_remembered(database: Database) -> None:
    """The same search has one number; another person has none of it; only the last fifty of each person are kept."""
    fox = Query(words="fox", order=Order.STARS, since=1.5)
    number = await database.gallery.remember(3, fox, now=1.0)
    assert await database.gallery.remember(3, fox, now=2.0) == number
    assert await database.gallery.remembered(3, number) == fox
    assert await database.gallery.remembered(4, number) is None
    for n in range(KEPT):
        await database.gallery.remember(3, Query(words=f"word {n}"), now=3.0 + n)
    assert await database.gallery.remembered(3, number) is None
    first = await database.gallery.remember(4, Query(words="other"), now=9.0)
    assert await database.gallery.remembered(4, first) == Query(words="other")


async def test_an_export_keeps_the_order(database: Database, picture: Painter) -> None:
    """What is packed comes in the order of the shelf, no more than was asked for, with what a file's name is made of."""
    images = [await picture(f"fox {n}") for n in range(3)]
    packed = await database.gallery.packed(3, Query(order=Order.OLDEST), limit=2)
    assert [(each.id, each.job, each.index, each.seed, each.sha256) for each in packed] == [
        (image.id, image.job, 0, 5, image.sha256) for image in images[:2]
    ]
    assert await database.gallery.servers(3, limit=5) == (2,)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200), query=st.text(max_size=80))
async def test_no_text_breaks_a_search(database: Database, picture: Painter, text: str, query: str) -> None:
    """Whatever was painted and whatever is looked for, index and plain reading agree on what is found."""
    image = await picture(text)
    words = words_in(query)
    expected = all(any(word.startswith(wanted) for word in words_in(text)) for wanted in words)
    ids = await found(database, Query(words=query))
    assert (image.id in ids) == expected
    await database.images.star(3, image.id, 1.0)
    assert (image.id in await found(database, Query(words=query, starred=True))) == expected


@given(st.text(max_size=400))
def test_words_read_themselves_again(text: str) -> None:
    """Reading the words of words changes nothing, and no word holds a sign that means something to the index."""
    words = words_in(text)
    assert words_in(" ".join(words)) == words
    assert not any(sign in word for word in words for sign in "\"'*^:()_- \0")
    assert kept_words(words).count(" ") == len(words)


def test_an_enlargement_is_found_by_what_was_asked() -> None:
    """A request without a prompt of its own is found by the job's; one that paints by what it paints."""
    painting = GenerationRequest(
        prompt=Prompt("fox, <lora:ink:1>, moody"), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("m")
    )
    assert words_of(painting, "fox") == " fox moody"
    assert words_of(UpscaleRequest(picture="0" * 64, upscaler="lanczos"), "a Fox") == " a fox"
    assert words_of(msgspec.structs.replace(painting, prompt=Prompt("")), "typed") == ""
