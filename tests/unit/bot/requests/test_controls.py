"""Controls as people say them: what goes together is found, what does not is a sentence, and a list of them comes back."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import RequestRefused, Unknown
from bot.requests.control_lines import map_alt, phrase, read_units, shape_note, units_text
from bot.requests.controls import KINDS, Wanted, controls_for, kind_named, unit_of
from inference.api.control import ControlUnit, Preprocessor
from inference.api.request import Canvas
from inference.api.result import Inventory, ModelFile

PICTURE = "ab" * 32


def file(name: str, family: str = "sd1") -> ModelFile:
    """A ControlNet on the shelf."""
    return ModelFile(name, f"models/ControlNet/{name}.safetensors", "c" * 10, family)


PAINTER = ModelFile("painter", "painter.safetensors", "0123456789", "sd1")
GRAND = ModelFile("grand", "grand.safetensors", "9876543210", "sdxl")
SHELF = Inventory(
    checkpoints=(PAINTER, GRAND),
    controls=(
        file("control_v11p_sd15_scribble"),
        file("control_v11p_sd15_canny"),
        file("sub/control_v11f1e_sd15_tile"),
        file("diffusers_xl_canny", "sdxl"),
        file("strange", "unknown"),
    ),
)


def unit(checkpoint: ModelFile = PAINTER, inventory: Inventory = SHELF, **said: object) -> ControlUnit:
    """The control that is meant."""
    wanted = msgspec.structs.replace(Wanted(), **said)
    return unit_of(wanted, picture=PICTURE, checkpoint=checkpoint, inventory=inventory)


@pytest.mark.parametrize(
    ("said", "kind", "model"),
    [
        ({}, "canny", "control_v11p_sd15_canny"),
        ({"kind": "scribble"}, "scribble", "control_v11p_sd15_scribble"),
        ({"kind": "Scribble from a drawing"}, "scribble", "control_v11p_sd15_scribble"),
        ({"kind": "tile"}, "tile_resample", "sub/control_v11f1e_sd15_tile"),
        ({"model": "CONTROL_V11F1E_SD15_TILE"}, "tile_resample", "sub/control_v11f1e_sd15_tile"),
        ({"kind": "none"}, "none", "control_v11p_sd15_scribble"),
        ({"model": "control_v11p_sd15_scribble"}, "scribble", "control_v11p_sd15_scribble"),
        ({"kind": "canny", "model": "strange"}, "canny", "strange"),
    ],
)
def test_what_is_not_said_goes_with_what_is(said: dict[str, str], kind: str, model: str) -> None:
    """A kind brings its ControlNet, a ControlNet its kind; nothing at all means edges."""
    made = unit(**said)
    assert (made.preprocessor.id, made.model, made.picture) == (kind, model, PICTURE)


def test_the_checkpoint_decides_which_files_fit() -> None:
    """Files of its family and of unknown ones come, those that follow the kind first; no other is ever taken by itself."""
    assert unit(GRAND).model == "diffusers_xl_canny"
    canny = kind_named("canny")
    assert [info.name for info in controls_for(canny, GRAND, SHELF)] == ["diffusers_xl_canny", "strange"]
    assert controls_for(canny, PAINTER, SHELF)[0].name == "control_v11p_sd15_canny"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"kind": "cany"}, "no kind of map called “cany”; did you mean “canny”"),
        ({"model": "control_v11p_sd15_cany"}, "no ControlNet called"),
        ({"model": "diffusers_xl_canny"}, "is made for SDXL, and “painter” is SD 1"),
        ({"kind": "mlsd"}, "no ControlNet here that follows “Straight lines"),
        ({"start": 0.8, "end": 0.2}, "the start first; not 0.8 and 0.2"),
        ({"weight": 2.5}, "weight must be between 0 and 2, not 2.5"),
        ({"resolution": 20}, "between 64 and 4,096, not 20"),
        ({"low": 300.0}, "Canny low threshold must be between 1 and 255, not 300"),
        ({"kind": "tile", "high": 3.0}, "“Tile” takes one threshold, so there is nothing to set to 3"),
        ({"mode": "mine"}, "no control mode called “mine”"),
        ({"resize_mode": 5}, "one of three ways, 0 to 2, not 5"),
    ],
)
def test_what_does_not_go_is_a_sentence(said: dict[str, object], sentence: str) -> None:
    """It says what was wrong and what would be right."""
    with pytest.raises(RequestRefused) as refused:
        unit(**said)
    assert sentence in refused.value.sentence


def test_a_kind_of_map_is_made_by_what_runs_here() -> None:
    """Depth without the first network is made by the second; where neither is here the first is named, to say what it needs."""
    assert kind_named("depth").id == "depth_midas"
    annotator = ModelFile("anything", "anything.safetensors", "", "depth_anything")
    assert kind_named("depth", Inventory(annotators=(annotator,))).id == "depth_anything"
    assert kind_named("depth", Inventory()).id == "depth_midas"
    assert [kind_named(each).id for each in ("lineart", "scribble", "tile")] == [
        "lineart_standard",
        "scribble",
        "tile_resample",
    ]


def test_where_there_is_no_controlnet_at_all() -> None:
    """The sentence says where one is put."""
    with pytest.raises(Unknown, match="models/ControlNet") as refused:
        unit(inventory=Inventory(checkpoints=(PAINTER,)))
    assert "docs/control.md" in refused.value.sentence


def test_kinds_that_need_a_mask_are_not_offered() -> None:
    """A card has no mask to give them."""
    assert all("inpaint" not in row.id for row in KINDS)
    assert kind_named("inpaint_only").id == "inpaint_only", "what a text tells is understood all the same"


UNITS = (
    ControlUnit(model="a: b", picture=PICTURE, preprocessor=Preprocessor("canny"), weight=0.8, end=0.5),
    ControlUnit(model="depth", picture="cd" * 32, preprocessor=Preprocessor("strange")),
)


def test_a_list_of_controls_comes_back() -> None:
    """What was not changed stays to the letter; weights and spans are read however they are written; a line less is one less."""
    text = units_text(UNITS)
    assert text == "1. Canny edges, a: b: 0.8, 0-0.5\n2. strange, depth: 1, 0-1"
    assert read_units(text, UNITS) == UNITS
    assert read_units("", UNITS) == ()
    (second,) = read_units("2: 0,4 , 0.25 to 1", UNITS)
    assert (second.model, second.weight, second.start, second.end) == ("depth", 0.4, 0.25, 1.0)
    assert read_units("\n1. whatever: 1,0-1\n", UNITS)[0].end == 1.0
    assert [each.model for each in read_units("2: 1\n1: 1", UNITS)] == ["depth", "a: b"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("canny 0.8", "is no control; write its number"),
        ("1. canny: strong", "is no control"),
        ("3: 1", "There is no further control 3"),
        ("1: 1\n1: 0.5", "There is no further control 1"),
        ("1: 5", "between 0 and 2, not 5"),
        ("1: 1, 0.9-0.1", "the start first"),
    ],
)
def test_a_line_that_is_none_is_a_sentence(text: str, sentence: str) -> None:
    """The list says how a line is written."""
    with pytest.raises(RequestRefused) as refused:
        read_units(text, UNITS)
    assert sentence in refused.value.sentence


@given(st.text(max_size=80))
def test_any_text_is_a_list_or_a_sentence(text: str) -> None:
    """Whatever is typed."""
    with suppress(RequestRefused):
        assert len(read_units(text, UNITS)) <= len(UNITS)


def test_controls_in_words() -> None:
    """What changed, what a map shows, and what becomes of a picture of another shape."""
    assert phrase(UNITS) == "Canny edges 0.8 (0 to 0.5), strange 1"
    assert phrase(()) == "none"
    assert map_alt(UNITS[0], number=1, name="photo.png") == "Map of control 1: Canny edges of photo.png"
    bare = ControlUnit(model="x", picture=PICTURE)
    assert map_alt(bare, number=2) == "Map of control 2: the picture itself"
    assert shape_note((640, 480), Canvas(576, 448), 1) == "", "the nearest canvas is no other shape"
    note = shape_note((640, 480), Canvas(512, 512), 1)
    assert "640 × 480" in note
    assert "what stands over is cut off (Crop and resize)" in note
