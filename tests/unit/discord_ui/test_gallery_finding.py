"""Dates as people write them, zips that fit, and the cards of collections, sharing and exports."""

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.discord_ui import view
from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ShownPicture
from bot.discord_ui.gallery import export_cards, sets, sharing_cards
from bot.discord_ui.gallery.dates import dates_shown, read_dates
from bot.discord_ui.gallery.finding import check_words
from bot.discord_ui.gallery.forms import ANY, find_form, name_form
from bot.discord_ui.gallery.packing import ENDING, ENTRY, ZIPS, add_entry, plan, zip_name
from bot.discord_ui.gallery.spots import Shelf, Spot
from bot.discord_ui.reply import Menu, Reply, Row, Text
from bot.errors import EaselError, LimitReached, NotFound, RequestRefused
from storage.gallery_values import Collection, Packed, Query

NOW = 1_793_880_000.0
"""2026-11-05, 12:00 UTC."""
DAY = 86_400.0
MIDNIGHT = NOW - 12 * 3600
ADA = 2**62 + 7


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


def menu(reply: Reply) -> Menu:
    """The one menu of a card."""
    (found,) = [i for part in reply.parts if isinstance(part, Row) for i in part.items if isinstance(i, Menu)]
    return found


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("", None, None),
        ("2026-11-05", MIDNIGHT, MIDNIGHT + DAY),
        ("today", MIDNIGHT, MIDNIGHT + DAY),
        ("Yesterday", MIDNIGHT - DAY, MIDNIGHT),
        ("2026-11", MIDNIGHT - 4 * DAY, MIDNIGHT + 26 * DAY),
        ("2026-11-01..2026-11-05", MIDNIGHT - 4 * DAY, MIDNIGHT + DAY),
        ("2026-11-01 to today", MIDNIGHT - 4 * DAY, MIDNIGHT + DAY),
        ("7d", MIDNIGHT - 7 * DAY, None),
        ("last 2 weeks", MIDNIGHT - 14 * DAY, None),
        ("2026-11-05..", MIDNIGHT, None),
        ("..2026-11-04", None, MIDNIGHT),
    ],
)
def test_dates_are_read(text: str, since: float | None, until: float | None) -> None:
    """Days, months, stretches and so long ago; the first day belongs to it and so does the last."""
    assert read_dates(text, now=NOW) == (since, until)


@given(st.text(max_size=60) | st.from_regex(r"[0-9.d-]{1,25}"))
def test_every_date_is_a_stretch_or_a_sentence(text: str) -> None:
    """Whatever is typed is a stretch of time that reads itself again, or one sentence that says what can be typed."""
    try:
        since, until = read_dates(text, now=NOW)
    except RequestRefused as error:
        said = error.sentence
    else:
        assert since is None or until is None or since < until
        assert read_dates(dates_shown(since, until), now=NOW) == (since, until)
        return
    assert "2026-11-05..2026-11-10" in said


@given(st.text(max_size=4000))
def test_words_are_checked(text: str) -> None:
    """What is looked for is kept in a form that means the same; what holds no word, or too many, is a sentence."""
    try:
        kept = check_words(text)
    except EaselError as error:
        said = error.sentence
    else:
        assert check_words(kept) == kept
        return
    assert 0 < len(said) < 300


# -- zips -------------------------------------------------------------------------------------------------------------


def packed(size: int, number: int = 1) -> Packed:
    """A picture of that many bytes."""
    return Packed(id=number, job=number, index=0, seed=7, sha256="0" * 64, bytes=size)


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.integers(4000, 12_000))
def test_zips_hold_all_pictures_in_order(sizes: list[int], limit: int) -> None:
    """Every picture goes into exactly one zip, in order, and no zip is planned over the limit."""
    pictures = [packed(size, number) for number, size in enumerate(sizes, 1)]
    try:
        zips = plan(pictures, limit=limit)
    except LimitReached:
        assert len(sizes) > ZIPS
        return
    assert [each for whole in zips for each in whole] == pictures
    assert len(zips) <= ZIPS
    for whole in zips:
        assert ENDING + sum(ENTRY + min(each.bytes, limit - ENTRY - ENDING) for each in whole) <= limit


def test_too_much_or_nothing_is_a_sentence() -> None:
    """No picture, and more zips than an export has, are refused before anything is read."""
    with pytest.raises(NotFound, match="no picture"):
        plan([], limit=10_000)
    with pytest.raises(LimitReached, match="26 pictures"):
        plan([packed(9_000)] * (ZIPS + 1), limit=10_000)


def test_a_zip_is_within_its_limit() -> None:
    """What is written is no larger than was planned, entries are whole PNGs with their parameters, and names differ."""
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    info = PngInfo()
    info.add_text("parameters", "a fox\nSteps: 4")
    buffer = io.BytesIO()
    noise.save(buffer, "PNG", pnginfo=info)
    png = buffer.getvalue()
    pictures = [packed(len(png), number) for number in (1, 2, 3)]
    limit = ENDING + 3 * (ENTRY + len(png))
    (whole,) = plan(pictures, limit=limit)
    file = io.BytesIO()
    for each in whole:
        add_entry(file, each, png, limit=limit)
    assert len(file.getvalue()) <= limit
    with zipfile.ZipFile(file) as read:
        assert read.namelist() == [f"job-{n}-1-seed-7.png" for n in (1, 2, 3)]
        assert all(read.read(name) == png for name in read.namelist())
    assert (zip_name(1, 1), zip_name(2, 3)) == ("easel.zip", "easel-2-of-3.zip")


def test_a_picture_that_is_too_large_goes_in_as_webp() -> None:
    """A PNG over the limit by itself is put in as the largest WebP that fits, as everywhere on Discord."""
    buffer = io.BytesIO()
    Image.effect_noise((256, 256), 90).convert("RGB").save(buffer, "PNG")
    file = io.BytesIO()
    add_entry(file, packed(buffer.tell()), buffer.getvalue(), limit=20_000)
    assert len(file.getvalue()) <= 20_000
    with zipfile.ZipFile(file) as read:
        assert read.namelist() == ["job-1-1-seed-7.webp"]


# -- cards and forms --------------------------------------------------------------------------------------------------


def many(count: int, name: str = "x") -> tuple[Collection, ...]:
    """That many collections."""
    return tuple(
        Collection(id=n, person=ADA, name=f"{name} {n}"[:40], created=1.0, size=n, holds=n % 2 == 0)
        for n in range(1, count + 1)
    )


@given(count=st.integers(0, 60), page=st.integers(-3, 9), name=st.text(min_size=1, max_size=40))
def test_lists_of_collections_fit(count: int, page: int, name: str) -> None:
    """Any number of collections with any names stays within Discord's lengths, on pages that exist."""
    kept = many(count, name)
    listed = sets.sets_card(sets.SetsFacts(person=ADA, collections=kept, page=page))
    keeping = sets.keep_card(
        sets.KeepFacts(image=2**40, spot=Spot(Shelf.FOUND, 999_999_999, 2**40), collections=kept, page=page)
    )
    for card in (listed, keeping):
        assert len(words(card)) <= 4000
        if count:
            assert 1 <= len(menu(card).choices) <= 25
            assert all(0 < len(choice.label) <= 100 for choice in menu(card).choices)


async def test_cards_are_taken_by_discord() -> None:
    """Every card is laid out: lists, the question before deleting, where to post, what is posted, and how an export stands."""
    spot = Spot(Shelf.SET, 3, 7)
    picture = ShownPicture(image=5, name="easel-5.webp", data=b"webp", seed=7)
    spread = tuple(sharing_cards.Place(n, f"room-{n}", "Server") for n in range(60))
    where = sharing_cards.WhereFacts(image=5, spot=spot, in_server=False, places=spread, page=2)
    facts = export_cards.ExportFacts(person=ADA, total=9, zips=2, done=3, sent=1, lost=1)
    stages: Any = ("packing", "done", "stopped", "failed")
    shared = sharing_cards.SharedFacts(person=ADA, picture=picture, prompt="x" * 4000, model="m", stars=3, link="l")
    cards = [
        sets.sets_card(sets.SetsFacts(person=ADA, collections=many(30), page=2)),
        sets.keep_card(sets.KeepFacts(image=5, spot=spot, collections=many(30), page=2)),
        sets.drop_card(many(1)[0]),
        sharing_cards.where_card(where),
        sharing_cards.where_card(sharing_cards.WhereFacts(image=5, spot=spot, in_server=True)),
        sharing_cards.where_card(sharing_cards.WhereFacts(image=5, spot=spot, in_server=False)),
        sharing_cards.shared_card(shared),
        *(
            export_cards.export_card(export_cards.ExportFacts(person=ADA, total=9, zips=2, stage=each))
            for each in stages
        ),
        export_cards.export_card(facts),
    ]
    for card in cards:
        view.layout(card)
    assert [choice.label for choice in menu(cards[3]).choices] == [f"#room-{n}" for n in range(25, 50)]
    assert "1 picture could not be found" in words(cards[-1])
    assert "`████░░░░░░░░` **33 %** · 1 of 2 sent" in words(cards[-1])


async def test_forms_offer_what_there_is() -> None:
    """Up to 24 names are a menu with what is looked for chosen; more are a line to write in; none is no field."""
    ticket = Ticket(Action.FIND_FORM, ADA, "recent-1")
    names = {"model": ("One", "two"), "lora": tuple(f"l{n}" for n in range(25)), "style": ()}
    form: Any = find_form(ticket, query=Query(words="fox", model="ONE"), when="2026-11", names=names).to_dict()
    fields = {each["component"]["custom_id"]: each["component"] for each in form["components"]}
    assert list(fields) == ["words", "when", "model", "lora"]
    assert fields["words"]["value"] == "fox"
    assert [(o["value"], o["default"]) for o in fields["model"]["options"]] == [
        (ANY, False),
        ("One", True),
        ("two", False),
    ]
    assert fields["lora"]["type"] == 4
    assert name_form(Ticket(Action.SET_FORM, 1), title="Rename", name="x").to_dict()["title"] == "Rename"
