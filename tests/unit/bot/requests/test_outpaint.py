"""Regions, and the sheets around a picture: where things lie, and what is asked of the painter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LimitReached, RequestRefused
from bot.requests.outpaint import SIDES, STRENGTH, Sheet, Side, moved, outpainted, zoomed
from bot.requests.regions import REGIONS, Repaint, kept_canvas, read_regions, region_boxes, repainted
from bot.settings import LimitSettings
from inference.api.request import Canvas, Hires, Inpaint, SourcePicture, attachments_of
from tests.unit.bot.requests.shelf import LIMITS, asked

PICTURE, MASK = "ab" * 32, "cd" * 32
ROOMY = LimitSettings(max_megapixels=16)
sides = st.integers(64, 1500)


@given(width=sides, height=sides)
def test_nine_regions_cover_a_picture(width: int, height: int) -> None:
    """No pixel is left out, and none lies in two."""
    boxes = region_boxes((width, height), range(len(REGIONS)))
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) == width * height
    assert boxes[0][:2] == (0, 0)
    assert boxes[-1][2:] == (width, height)


def test_regions_are_read_from_marks() -> None:
    """What is no region is nobody's."""
    assert read_regions("0,4,8") == (0, 4, 8)
    assert read_regions("9,-1,x,,٣,4") == (4,)
    assert region_boxes((90, 60), [4, 4]) == ((30, 20, 60, 40),)


@pytest.mark.parametrize(
    ("size", "native", "canvas"),
    [
        ((512, 768), 512, (512, 768)),
        ((517, 770), 512, (512, 768)),
        ((1024, 1024), 512, (1024, 1024)),
        ((4000, 3000), 512, (576, 448)),
        ((40, 40), 512, (512, 512)),
        ((400, 200), 128, (184, 88)),
    ],
)
def test_how_large_a_picture_is_painted_over(size: tuple[int, int], native: int, canvas: tuple[int, int]) -> None:
    """At its own size where the model can do that, else at the model's in the same proportions."""
    assert kept_canvas(size, native=native, limits=LIMITS) == Canvas(*canvas)


def test_a_request_for_a_mask() -> None:
    """The words and the model stay; what was a second pass is painted already."""
    base = asked(count=1, seed="5")
    how = Repaint(content="fill", only_masked=True, padding=8, blur=2, soft=True, invert=True, strength=0.6)
    made = repainted(base, how, picture=PICTURE, size=(128, 96), mask=MASK, native=128, limits=LIMITS)
    part = Inpaint(MASK, 2, content="fill", only_masked=True, padding=8, invert=True, rounded=False)
    assert made.source == SourcePicture(PICTURE, 0.6, resize_mode=1, inpaint=part)
    assert (made.canvas, made.hires, made.prompt) == (Canvas(128, 96), None, base.prompt)
    assert attachments_of(made) == (PICTURE, MASK)
    for wrong in (Repaint(blur=65), Repaint(padding=257), Repaint(strength=float("nan"))):
        with pytest.raises(RequestRefused, match="must be between"):
            repainted(base, wrong, picture=PICTURE, size=(128, 96), mask=MASK, native=128, limits=LIMITS)


def lies_well(sheet: Sheet) -> None:
    """Everything in steps of 8 and inside each other; the mask's blur has died away where the new part begins."""
    (left, top, right, bottom), (x, y, x2, y2) = sheet.inner, sheet.kept
    assert all(value % 8 == 0 for value in (*sheet.size, *sheet.inner, *sheet.kept))
    assert 0 <= left <= x < x2 <= right <= sheet.size[0]
    assert 0 <= top <= y < y2 <= bottom <= sheet.size[1]
    strips = [strip for strip in (x - left, y - top, right - x2, bottom - y2) if strip]
    assert strips
    assert all(strip >= int(2.5 * sheet.blur + 0.5) for strip in strips)


@given(width=sides, height=sides, factor=st.sampled_from([1.5, 2.0]))
def test_a_zoom_keeps_the_size(width: int, height: int, factor: float) -> None:
    """The old picture lies in the middle, smaller by the factor, and loses a strip on every side."""
    sheet = zoomed((width, height), factor)
    lies_well(sheet)
    assert sheet.size == (max(64, width - width % 8), max(64, height - height % 8))
    left, top, right, bottom = sheet.inner
    assert abs((right - left) * factor - sheet.size[0]) <= 4 * factor
    assert abs(left - (sheet.size[0] - right)) <= 16
    assert abs(top - (sheet.size[1] - bottom)) <= 16


@given(width=sides, height=sides, side=st.sampled_from(SIDES))
def test_moving_grows_one_side(width: int, height: int, side: Side) -> None:
    """By a half, and the old picture keeps its pixels and all but one of its edges."""
    sheet = moved((width, height), side, limits=ROOMY)
    lies_well(sheet)
    left, top, right, bottom = sheet.inner
    assert (right - left, bottom - top) == sheet.window
    touched = [kept != inner for kept, inner in zip(sheet.kept, sheet.inner, strict=True)]
    assert touched.index(True) == ("left", "up", "right", "down").index(side)
    assert touched.count(True) == 1


def test_a_picture_grows_only_so_far() -> None:
    """The sentence says what would become of it, and what to do."""
    with pytest.raises(LimitReached, match=r"3,072 × 2,048 pixels .* zoom out instead"):
        moved((2048, 2048), "left", limits=LIMITS)
    with pytest.raises(RequestRefused, match="1 to 4 times"):
        zoomed((512, 512), 9.0)


def test_what_is_asked_of_the_painter() -> None:
    """Zooming out paints the whole sheet; moving paints the window alone, at the old picture's size, on fill content."""
    base = asked(count=1, seed="5", model="vision")
    out = outpainted(base, zoomed((512, 768), 2.0), picture=PICTURE, mask=MASK, native=512, limits=LIMITS)
    assert out.source is not None
    assert out.source.inpaint == Inpaint(MASK, blur=4, content="fill", padding=0, rounded=False)
    assert (out.canvas, out.source.denoising_strength) == (Canvas(512, 768), STRENGTH)
    right = outpainted(
        base, moved((512, 768), "right", limits=LIMITS), picture=PICTURE, mask=MASK, native=512, limits=LIMITS
    )
    assert right.source is not None
    assert right.source.inpaint == Inpaint(MASK, blur=8, content="fill", only_masked=True, padding=0, rounded=False)
    assert right.canvas == Canvas(512, 768)
    assert Hires() != right.hires is None
