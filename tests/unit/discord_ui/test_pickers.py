"""Pickers: what fits, what is taken, what a button carries, and cards that Discord takes whatever files are called."""

import io
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.discord_ui import view
from bot.discord_ui.actions import read_ticket
from bot.discord_ui.forms import Filled
from bot.discord_ui.pickers import cards, forms, tiles
from bot.discord_ui.pickers.cards import Entry, OpenedFacts, PageFacts
from bot.discord_ui.pickers.choosing import (
    MOST,
    beginning,
    fits_checkpoint,
    list_of,
    looked_for,
    shown_files,
    with_picks,
    with_weights,
)
from bot.discord_ui.pickers.spots import Shelf, Spot, Verb, key_of, read_spot, sample_key_of
from bot.errors import LimitReached, NotFound, RequestRefused
from inference.api.result import Inventory, ModelFile
from storage.palettes import Look, Palette, Pick


def file(name: str, family: str = "sd1", **more: Any) -> ModelFile:
    """A file on a shelf."""
    return ModelFile(name, f"/m/{name}", "0123456789", family, **more)


INK = file("ink", triggers=("inkwash", "sumi"), negative="colour", weight=0.7)
FUR = file("Fur", alias="fluff", triggers=("sumi",), negative="colour", tags=("bear",), notes="Soft.")
ODD, WIDE = file("glow", "unknown"), file("wide", "sdxl")
PAINTER, GRAND = file("painter"), file("grand", "sdxl")
SHELF = Inventory(
    checkpoints=(PAINTER, GRAND),
    loras=(INK, FUR, ODD, WIDE, file("a,b"), file("c>d"), *(file(f"x{n}") for n in range(12))),
)


def names(palette: Palette, fits: ModelFile | None = PAINTER) -> list[str]:
    """The LoRAs that are shown, the numbered ones left out."""
    return [info.name for info in shown_files(Shelf.LORAS, SHELF, palette, fits=fits) if not info.name.startswith("x")]


def test_what_fits_is_shown() -> None:
    """By family and by words, in names, aliases, trigger words, tags and notes; unknown families fit everything."""
    assert names(Palette()) == ["ink", "Fur", "glow", "a,b", "c>d"]
    assert names(Palette(), fits=GRAND) == ["glow", "wide"]
    assert names(Palette(), fits=None)[:4] == ["ink", "Fur", "glow", "wide"]
    assert names(Palette(loras=Look(family="sdxl"))) == ["wide"]
    assert "wide" in names(Palette(loras=Look(family="all")))
    for words, found in (("SUMI", ["ink", "Fur"]), ("fluff", ["Fur"]), ("soft bear", ["Fur"]), ("soft nothing", [])):
        assert names(Palette(loras=Look(words=words))) == found
    assert not fits_checkpoint(WIDE, PAINTER)
    assert fits_checkpoint(WIDE, None)
    models = shown_files(Shelf.MODELS, SHELF, Palette(models=Look(family="sdxl")), fits=None)
    assert models == (GRAND,)


def test_whose_loras_are_looked_at() -> None:
    """The checkpoint chosen for it, then one's own, then the server's, then the first; names that are gone count for nothing."""
    assert looked_for(SHELF, Palette(fits="grand", model="painter"), otherwise="") is GRAND
    assert looked_for(SHELF, Palette(fits="gone", model="grand"), otherwise="painter") is GRAND
    assert looked_for(SHELF, Palette(), otherwise="grand") is GRAND
    assert looked_for(SHELF, Palette(), otherwise="") is PAINTER
    assert looked_for(Inventory(), Palette(model="grand"), otherwise="") is None


def test_taking_keeps_other_pages_and_weights() -> None:
    """What was taken elsewhere stays, what was weighed keeps its weight, and what is not chosen on this page is left."""
    palette = Palette(picks=(Pick("ink", 0.3), Pick("wide")))
    after = with_picks(palette, (INK, FUR), (INK, FUR))
    assert after.picks == (Pick("ink", 0.3), Pick("wide"), Pick("Fur"))
    assert with_picks(after, (INK, FUR), ()).picks == (Pick("wide"),)
    many = [file(f"x{n}") for n in range(MOST + 1)]
    with pytest.raises(LimitReached, match="At most 10 LoRAs"):
        with_picks(Palette(), many, many)
    for name in ("a,b", "c>d"):
        with pytest.raises(RequestRefused, match="cannot be named"):
            with_picks(Palette(), (), (file(name),))


def test_weights_are_typed_as_lists_are() -> None:
    """Lines or commas, tags or names, aliases too; what is not there, or no number, is a sentence."""
    assert with_weights(Palette(), "ink:0.4\n<lora:Fur:-1>,glow", SHELF).picks == (
        Pick("ink", 0.4),
        Pick("Fur", -1.0),
        Pick("glow"),
    )
    assert with_weights(Palette(), "fluff:2", SHELF).picks == (Pick("Fur", 2.0),)
    assert with_weights(Palette(picks=(Pick("ink"),)), " \n", SHELF).picks == ()
    for text, says in (
        ("inc", "There is no LoRA called “inc”"),
        ("ink:x", "must be a number"),
        ("c>d", "cannot be named"),
    ):
        with pytest.raises(RequestRefused, match=says):
            with_weights(Palette(), text, SHELF)
    assert list_of((Pick("ink"), Pick("Fur"), Pick("gone", 0.5)), SHELF) == "ink:0.7, Fur:1, gone:0.5"


def test_a_painting_begins_with_the_words_of_what_was_taken() -> None:
    """Trigger words and negatives of all, each once; a LoRA that is gone has none."""
    assert beginning((Pick("ink"), Pick("Fur"), Pick("gone")), SHELF) == ("inkwash, sumi", "colour")
    assert beginning((), SHELF) == ("", "")


async def test_the_form_of_a_painting_is_a_draft() -> None:
    """What stands in it at first is a draft; a comma left behind the words is nobody's wish; a wrong size is a sentence."""
    palette = Palette(picks=(Pick("ink"), Pick("Fur", 0.5)))
    form = forms.paint_form(9, Spot(Shelf.LORAS, Verb.PAINT), palette, SHELF, model=GRAND).to_dict()
    values = {row["component"]["custom_id"]: row["component"].get("value", "") for row in form["components"]}
    draft = forms.read_draft(Filled(texts=values))
    assert (draft.prompt, draft.negative) == ("inkwash, sumi", "colour")
    assert (draft.lora, draft.model, draft.size, draft.aspect) == ("ink:0.7, Fur:0.5", "grand", None, None)
    assert forms.read_draft(Filled(texts={"prompt": "a", "size": "2:3"})).aspect == "2:3"
    assert forms.read_draft(Filled(texts={"prompt": "a", "size": "64x128"})).size == (64, 128)
    with pytest.raises(RequestRefused, match="neither a size"):
        forms.read_draft(Filled(texts={"prompt": "a", "size": "large"}))


@given(st.sampled_from(Shelf), st.sampled_from(Verb), st.integers(0, 999_999), st.booleans(), st.integers(0, 2**63))
def test_a_spot_survives_its_button(shelf: Shelf, verb: Verb, page: int, keyed: bool, person: int) -> None:
    """Everything a button says is read back, within Discord's hundred characters, whoever presses it."""
    spot = Spot(shelf, verb, page, key_of(INK) if keyed else "")
    ticket = read_ticket(spot.ticket(person).custom_id)
    assert ticket is not None
    assert (ticket.id, read_spot(ticket.argument)) == (person, spot)


@pytest.mark.parametrize("argument", ["", "l", "q.page.1", "l.fly.1", "l.page.x", "l.open.1.xyz", "l.page.1234567"])
def test_a_strange_button_is_a_sentence(argument: str) -> None:
    """What an older or newer Easel wrote leads back to the commands."""
    with pytest.raises(NotFound, match="/lora browse"):
        read_spot(argument)


def test_keys_are_of_the_file_and_samples_of_its_content() -> None:
    """Two files of a name have keys of their own; a renamed file keeps its sample."""
    other = msgspec.structs.replace(INK, path="/m/sub/ink", sha256="f" * 64)
    assert key_of(other) != key_of(INK)
    assert sample_key_of(other) == "f" * 64
    assert len(sample_key_of(INK)) == 64


strange = st.text(min_size=1, max_size=255)


@settings(max_examples=25, deadline=None)
@given(st.lists(strange, min_size=9, max_size=9, unique=True), st.text(max_size=600), st.sampled_from(Shelf))
async def test_discord_takes_every_card(titles: list[str], text: str, shelf: Shelf) -> None:
    """Whatever files are called and notes say, pages, opened files and forms are within Discord's limits."""
    words = tuple(text[n : n + 30] or "x" for n in range(0, 600, 30))
    files = [
        file(name, "sdxl_refiner", triggers=words, tags=words, notes=text, negative=text, weight=0.5, bytes=2**33)
        for name in titles
    ]
    entries = tuple(
        Entry(key=key_of(info), number=990 + n, info=info, weight=-9.99, mine=True) for n, info in enumerate(files)
    )
    page = PageFacts(
        person=2**63,
        shelf=shelf,
        page=110,
        pages=112,
        total=1000,
        all=1000,
        entries=entries,
        sheet=b"x",
        family="sdxl",
        words=text[:100],
        fits=titles[0],
        picks=", ".join(titles),
        note="The folders hold something else now.",
    )
    view.layout(cards.page_card(page))
    view.layout(cards.page_card(msgspec.structs.replace(page, entries=(), total=0, all=0)))
    opened = OpenedFacts(
        person=2**63, shelf=shelf, page=110, entry=entries[0], picture=b"x", worn_by=titles[1], fitting=False
    )
    view.layout(cards.opened_card(opened))
    view.layout(cards.opened_card(msgspec.structs.replace(opened, picture=b"", fitting=True, painting=True)))
    palette = Palette(picks=tuple(Pick(name) for name in titles))
    shelves = Inventory(checkpoints=tuple(files), loras=tuple(files))
    spot = Spot(shelf, Verb.PAINT, 110)
    forms.paint_form(2**63, spot, palette, shelves, model=files[0])
    forms.weights_form(2**63, spot, palette, shelves)
    forms.find_form(2**63, spot, words=text)


def test_a_sample_is_read_with_care(tmp_path: Path) -> None:
    """Pictures are made small; what is none, damaged, huge or gone is nothing, and costs nothing."""
    path = tmp_path / "a.png"
    Image.new("RGBA", (2000, 1000), (255, 0, 0, 9)).save(path)
    small = Image.open(io.BytesIO(tiles.sample_from_file(str(path))))
    assert small.size == (tiles.LARGE, tiles.LARGE // 2)
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + b"\0\0\0\0"
    for data in (b"", b"text", path.read_bytes()[:200], bomb, b"GIF89a" + b"\0" * 50):
        assert tiles.sample_from(data) == b""
    assert tiles.sample_from_file(str(tmp_path / "gone.png")) == b""
    assert tiles.sample_from_file(str(tmp_path)) == b""


@given(st.text(max_size=300))
def test_any_name_has_a_tile(name: str) -> None:
    """Where there is no picture, a tile says the name, in whatever script it is written."""
    assert Image.open(io.BytesIO(tiles.blank_tile(name))).size == (tiles.SMALL, tiles.SMALL)
