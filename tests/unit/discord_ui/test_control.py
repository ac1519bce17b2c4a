"""The card of controls and its forms: what Discord takes, however much there is, and what comes back of what was typed."""

import pytest

from bot.discord_ui import view
from bot.discord_ui.actions import Action
from bot.discord_ui.cards import ResultFacts, ShownMap, ShownPicture, result_card
from bot.discord_ui.control.cards import SheetFacts, Shown, sheet_card
from bot.discord_ui.control.forms import change_values, read_change, read_span
from bot.discord_ui.control.mapping import seen_at
from bot.discord_ui.forms import Filled
from bot.discord_ui.reply import Button, Gallery, Menu, Reply, Row, Text
from bot.errors import RequestRefused
from bot.requests.controls import Wanted
from inference.api.control import ControlUnit, Preprocessor
from inference.api.request import Canvas
from inference.api.result import Inventory, ModelFile

SHELF = Inventory(
    controls=tuple(
        ModelFile(name, f"models/ControlNet/{name}.safetensors", "c" * 10, "sd1")
        for name in ("canny", "scribble", "tile")
    )
)


def unit(kind: str = "canny", model: str = "canny", **more: object) -> ControlUnit:
    """A control."""
    return ControlUnit(model=model, picture="ab" * 32, preprocessor=Preprocessor(kind), **more)  # type: ignore[arg-type]


def shown(number: int, **more: object) -> Shown:
    """A control on a card."""
    return Shown(bench=number, unit=unit(model="m" * 300), name="n" * 80, webp=b"webp", size=(64, 64), **more)  # type: ignore[arg-type]


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


def controls(reply: Reply) -> list[Button | Menu]:
    """Its buttons and menus."""
    rows = (row.items for row in reply.parts if isinstance(row, Row))
    return [item for row in rows for item in row if isinstance(item, Button | Menu)]


async def test_discord_takes_ten_controls() -> None:
    """With long names, markdown in all of them, notes, and pictures of a message to choose from."""
    many = tuple(shown(number, note="[(*_~`@everyone" * 20) for number in range(1, 11))
    facts = SheetFacts(
        number=5, prompt="[({<@*_~`" * 100, model="x" * 300, canvas=(512, 512), shown=many, together=tuple(range(10))
    )
    card = sheet_card(facts)
    view.layout(card)
    assert len(next(part for part in card.parts if isinstance(part, Gallery)).pictures) == 10
    assert sum(item.custom_id.startswith("easel:crm:") for item in controls(card)) == 10
    assert "… and 7 more" in words(card)
    more = next(item for item in controls(card) if item.custom_id.startswith("easel:cadd:"))
    assert isinstance(more, Button)
    assert more.disabled, "ten are the most"


async def test_what_cannot_be_followed_is_said() -> None:
    """Its sentence stands on the card, and nothing can be painted before it is changed or taken out."""
    facts = SheetFacts(
        number=5, prompt="", model="x", canvas=(64, 64), shown=(Shown(bench=1, unit=unit(), trouble="Gone."),)
    )
    card = sheet_card(facts)
    view.layout(card)
    assert "Gone" in words(card)
    assert not [part for part in card.parts if isinstance(part, Gallery)]
    paint = next(item for item in controls(card) if item.custom_id.startswith("easel:cgo:"))
    assert isinstance(paint, Button)
    assert paint.disabled
    view.layout(sheet_card(SheetFacts(number=5, prompt="a", model="x", canvas=(64, 64), shown=())))


async def test_a_result_with_many_maps() -> None:
    """Four pictures and ten maps: as many maps as a card takes, each with its button, and the way to the rest."""
    pictures = tuple(ShownPicture(image=n, name=f"{n}.webp", data=b"", seed=n) for n in range(1, 5))
    maps = tuple(ShownMap(unit=n, name=f"map-{n}.webp", data=b"", alt=f"Map of control {n + 1}") for n in range(10))
    card = result_card(
        ResultFacts(job=1, person=2, prompt="a", model="m", pictures=pictures, controlled=True, maps=maps)
    )
    view.layout(card)
    assert "The last 4 pictures are the maps" in words(card)
    ids = [item.custom_id for item in controls(card)]
    assert [each for each in ids if each.startswith("easel:cmap:")] == [f"easel:cmap:1:{n}" for n in range(4)]
    assert "easel:cof:1" in ids
    assert Action.CONTROL_OF.value == "cof", "what travels stays for good"


def change(before: dict[str, str], **said: str) -> Wanted:
    """What a form says."""
    texts = {name: said.get(name, before[name]) for name in ("seen", "span")}
    choices = {name: (said.get(name, before[name]),) for name in ("kind", "network", "fit")}
    return read_change(Filled(texts, choices), before, SHELF)


def test_a_form_that_was_left_alone_says_the_same() -> None:
    """Thresholds are shown as they hold, and come back."""
    old = unit(weight=0.8, start=0.1, end=0.9, mode="control", resize_mode=2)
    wanted = change(change_values(old, checkpoint=None, inventory=SHELF))
    assert (wanted.kind, wanted.model, wanted.weight, wanted.start, wanted.end) == ("canny", "canny", 0.8, 0.1, 0.9)
    assert (wanted.mode, wanted.resize_mode, wanted.low, wanted.high) == ("control", 2, 100.0, 200.0)


def test_another_kind_brings_its_own() -> None:
    """Its thresholds and its network, unless one was chosen."""
    before = change_values(unit(), checkpoint=None, inventory=SHELF)
    moved = change(before, kind="tile_resample")
    assert (moved.kind, moved.model, moved.low, moved.high) == ("tile_resample", "", None, None)
    kept = change(before, kind="tile_resample", network="scribble", seen="pixel perfect, 2")
    assert (kept.model, kept.pixel_perfect, kept.low) == ("scribble", True, 2.0)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("", (1.0, 0.0, 1.0)),
        ("0.5", (0.5, 0.0, 1.0)),
        ("0,5, 0.1, 0.9", (0.5, 0.1, 0.9)),
        ("1,0,1", (1.0, 0.0, 1.0)),
        ("0.7 0.2 0.8", (0.7, 0.2, 0.8)),
        ("1; 0; 0,5", (1.0, 0.0, 0.5)),
    ],
)
def test_weight_and_span_in_one_line(text: str, span: tuple[float, float, float]) -> None:
    """However they are parted, and with a comma for a point."""
    assert read_span(text) == span


@pytest.mark.parametrize("text", ["much", "3", "1, 2, 3", "1, 0, 1, 0", "-1", "1, 0.5, x"])
def test_what_is_no_span_is_a_sentence(text: str) -> None:
    """Which number, and between what it may be."""
    with pytest.raises(RequestRefused):
        read_span(text)


@pytest.mark.parametrize(
    ("picture", "canvas", "resize_mode", "resolution"),
    [
        ((512, 512), (768, 768), 1, 768),
        ((640, 480), (512, 512), 1, 512),
        ((640, 480), (512, 512), 2, 384),
        ((4000, 100), (64, 64), 2, 64),
        ((100, 4000), (4096, 4096), 1, 4096),
    ],
)
def test_pixel_perfect_is_the_canvas(
    picture: tuple[int, int], canvas: tuple[int, int], resize_mode: int, resolution: int
) -> None:
    """The map's short side as it lies on the canvas, and never beyond what a map may be."""
    perfect = ControlUnit(
        model="x",
        picture="ab" * 32,
        preprocessor=Preprocessor("canny", pixel_perfect=True),
        resize_mode=resize_mode,  # type: ignore[arg-type]
    )
    settled = seen_at(perfect, picture=picture, canvas=Canvas(*canvas))
    assert (settled.resolution, settled.pixel_perfect) == (resolution, False)
