"""How people say that faces are mended, what is taken where they do not, and what becomes of a picture's request."""

import msgspec
import pytest

from bot.errors import RequestRefused, Unknown
from bot.requests.derive import edited
from bot.requests.drafts import ImagineDraft
from bot.requests.enlarging import EnlargeDraft, enlargement
from bot.requests.flags import understand
from bot.requests.mending import best_restorer, faces_text, mended, read_faces
from inference.api.enlarging import UpscaleRequest
from inference.api.faces import REPAINT, FaceRestoration
from inference.api.request import GenerationRequest
from inference.api.result import ModelFile
from tests.unit.bot.requests.shelf import AROUND, INVENTORY, asked

SHA = "ab" * 32
CODEFORMER = ModelFile("codeformer-v0.1.0", "m/Codeformer/codeformer-v0.1.0.pth", "", "codeformer")
GFPGAN = ModelFile("GFPGANv1.4", "m/GFPGAN/GFPGANv1.4.pth", "", "gfpgan")
WITH_FILES = msgspec.structs.replace(INVENTORY, faces=(CODEFORMER, GFPGAN))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", FaceRestoration("GFPGANv1.4")),
        ("", FaceRestoration("GFPGANv1.4")),
        ("repaint", FaceRestoration(REPAINT, 0.4)),
        ("Repaint, 0.25", FaceRestoration(REPAINT, 0.25)),
        ("codeformer, 0.2, 80%", FaceRestoration("codeformer-v0.1.0", 0.2, 0.8)),
        ("gfpganv1.4, 50 %", FaceRestoration("GFPGANv1.4", 0.5, 0.5)),
        ("off", None),
        ("No", None),
    ],
)
def test_what_is_said_is_understood(text: str, expected: FaceRestoration | None) -> None:
    """By name in any case or by kind, a number is the weight, a share how far it is seen."""
    assert read_faces(text, WITH_FILES) == expected
    assert read_faces(faces_text(expected), WITH_FILES) == expected


@pytest.mark.parametrize("text", ["repaint, GFPGANv1.4", "0.1, 0.2", "on, 10%, 20%", "repaint, 7", "repaint, 400%"])
def test_what_makes_no_sense_is_a_sentence(text: str) -> None:
    """Twice the same, and numbers out of range."""
    with pytest.raises(RequestRefused) as refused:
        read_faces(text, WITH_FILES)
    assert refused.value.sentence.endswith(".")


def test_near_names_are_suggested() -> None:
    """An unknown restorer is named with what there is."""
    with pytest.raises(Unknown, match=r"did you mean “GFPGANv1\.4”"):
        read_faces("GFPGAN14", WITH_FILES)


def test_without_a_file_faces_are_painted_over() -> None:
    """The default is honest about what it is; of files the one is preferred that needs no further package."""
    assert best_restorer(INVENTORY) == REPAINT
    assert best_restorer(WITH_FILES) == "GFPGANv1.4"
    assert asked(faces="on").faces == FaceRestoration(REPAINT, 0.4)
    assert asked().faces is None


def test_flags_say_it_too() -> None:
    """--faces alone is the best way; behind a = stands which. The words go on after it."""
    plain = understand(ImagineDraft(prompt="a portrait --faces of a king"))
    assert (plain.draft.prompt, plain.draft.faces) == ("a portrait of a king", "on")
    named = understand(ImagineDraft(prompt="a king --faces=repaint,0.3 --steps 9"))
    assert (named.draft.faces, named.draft.steps) == ("repaint,0.3", 9)


def test_an_edit_turns_them_on_and_off() -> None:
    """What is not said stays; the difference is told."""
    request = asked(faces="repaint, 0.3")
    kept, told = edited(request, ImagineDraft(steps=9), **AROUND)
    assert kept.faces == request.faces
    off, told = edited(request, ImagineDraft(faces="off"), **AROUND)
    assert off.faces is None
    assert told == ("faces repaint, 0.3 → off",)


def test_mending_a_picture_that_is_there() -> None:
    """With a file only its faces are worked on; without one it is painted once more as it was; an enlargement cannot be."""
    request = asked()
    by_file = mended(request, picture=SHA, infotext="a", inventory=WITH_FILES)
    assert isinstance(by_file, UpscaleRequest)
    assert (by_file.scale, by_file.upscaler, by_file.faces) == (1.0, "none", FaceRestoration("GFPGANv1.4"))
    again = mended(request, picture=SHA, infotext="a", inventory=INVENTORY)
    assert isinstance(again, GenerationRequest)
    assert msgspec.structs.replace(again, faces=None) == request
    enlarged = UpscaleRequest(picture=SHA, upscaler="lanczos")
    with pytest.raises(RequestRefused, match="models/GFPGAN"):
        mended(enlarged, picture=SHA, infotext="", inventory=INVENTORY)


def test_enlarging_and_mending() -> None:
    """Both at once with a file, faces alone at a factor of 1, and a sentence where there is no file."""
    known = {"picture": SHA, "size": (64, 64), "infotext": "", "megapixels": 4.0}
    both = enlargement(EnlargeDraft(faces="on"), inventory=WITH_FILES, **known)
    assert (both.faces, both.scale, both.upscaler) == (FaceRestoration("GFPGANv1.4"), 2.0, "realesr")
    alone = enlargement(EnlargeDraft(faces="on", factor=1.0), inventory=WITH_FILES, **known)
    assert (alone.upscaler, alone.scale) == ("none", 1.0)
    with pytest.raises(RequestRefused, match="redraw it in tiles"):
        enlargement(EnlargeDraft(faces="on"), inventory=INVENTORY, **known)
