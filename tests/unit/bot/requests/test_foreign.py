"""Texts of other programs, held to this server's rules."""

import msgspec
import pytest

from bot.errors import LimitReached, RequestRefused
from bot.requests.foreign import bare_request, request_of_text, without
from inference.api.control import ControlUnit
from inference.api.request import Canvas, SourcePicture, attachments_of
from tests.unit.bot.requests.shelf import AROUND

LAST = "Steps: {steps}, Sampler: Euler, CFG scale: 5, Seed: 3, Size: {size}, Model hash: {model}"


def text(
    prompt: str = "a pond", *, steps: int = 9, size: str = "512x512", model: str = "abcdef0123", more: str = ""
) -> str:
    """A webui's text."""
    return f"{prompt}\n{LAST.format(steps=steps, size=size, model=model)}{more}"


def test_files_are_found_by_hash() -> None:
    """Whatever they are called here; a hash that is nobody's is said."""
    found = request_of_text(text(), **AROUND)
    assert (found.request.model.name, found.request.count, found.notes) == ("real/vision", 1, ())
    (note,) = request_of_text(text(model="ffffffffff"), **AROUND).notes
    assert note == "The model [ffffffffff] is not here; “easel-painter” painted instead."


def test_more_steps_than_are_allowed_are_cut_and_told() -> None:
    """The picture is painted all the same."""
    found = request_of_text(text(steps=120), **AROUND)
    assert found.request.sampling.steps == 60
    assert found.notes == ("120 steps became 60, the most that are allowed here.",)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (text(size="4096x4096"), "megapixels allowed here"),
        (text(size="1024x1024", more=", Denoising strength: 0.5, Hires upscale: 4"), "4,096 × 4,096 pixels"),
        (text("a naked child"), "sexualises minors"),
        (
            text(more=', Denoising strength: 0.5, Hires upscale: 1.5, Hires prompt: "a naked child, x"'),
            "sexualises minors",
        ),
    ],
)
def test_what_may_not_be_painted_is_refused(said: str, sentence: str) -> None:
    """A text is no way around a server's limits, nor around what is never painted."""
    with pytest.raises(RequestRefused, match=sentence):
        request_of_text(said, **AROUND)
    assert issubclass(LimitReached, RequestRefused)


def test_words_alone_without_the_source() -> None:
    """A picture of ours that a text begins from may be gone; its words are painted, and that is said."""
    more = f", Denoising strength: 0.5, Init image hash: {'ab' * 32}"
    found = request_of_text(text(more=more), **AROUND)
    assert found.request.source == SourcePicture("ab" * 32, 0.5)
    bare = without(found, frozenset({"ab" * 32}))
    assert attachments_of(bare.request) == ()
    assert bare.notes[-1].startswith("The picture that it began from is not kept here")


def test_controls_whose_picture_is_gone_are_left_out() -> None:
    """One that has its picture stays, one that followed the source goes with that, and each is said."""
    found = request_of_text(text(), **AROUND)
    units = tuple(ControlUnit(model="canny", picture=digest) for digest in ("aa" * 32, "bb" * 32, ""))
    source = SourcePicture("cc" * 32)
    steered = msgspec.structs.replace(
        found, request=msgspec.structs.replace(found.request, control=units, source=source)
    )
    assert without(steered, frozenset({"aa" * 32})).request.control == units[1:]
    bare = without(steered, frozenset({"aa" * 32, "cc" * 32}))
    assert (bare.request.control, bare.request.source) == (units[1:2], None)
    assert len(bare.notes) == len(found.notes) + 2


def test_without_a_text_the_server_decides() -> None:
    """One picture, in the usual model's size and without words."""
    request = bare_request(**AROUND)
    assert (request.prompt.positive, request.prompt.negative, request.count) == ("", "blurry", 1)
    assert request.canvas == Canvas(128, 128)
