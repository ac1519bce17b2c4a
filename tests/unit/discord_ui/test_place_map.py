"""The map of places: colours lie where the words will guide, and a mask is what the painter could be given."""

import io

import pytest
from PIL import Image

from bot.discord_ui.place_map import COLORS, LONG, draw_map, place_mask
from bot.requests.places import read_places

HALVES = tuple(each for each in read_places("left: a | right: b") if each.boxes)


def opened(data: bytes) -> Image.Image:
    """The picture in `data`, in RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two colours are nearly the same."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 40


@pytest.mark.parametrize("shape", [(3.0, 2.0), (1, 4), (512, 512)])
def test_each_place_has_its_colour(shape: tuple[float, float]) -> None:
    """The map has the picture's proportions; left and right are told apart to the border."""
    drawn = opened(draw_map(HALVES, shape=shape, feather=0.0))
    assert max(drawn.size) == LONG
    assert drawn.width / drawn.height == pytest.approx(shape[0] / shape[1], rel=0.02)
    left, right = (drawn.getpixel((x, 10)) for x in (drawn.width // 4 - 5, 3 * drawn.width // 4))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert near(left, COLORS[0])
    assert near(right, COLORS[1])


def test_a_map_of_many_places_begins_its_colours_anew() -> None:
    """There are as many places as there are cells, and marked cells are framed."""
    text = " | ".join(f"{cell}: x" for cell in ("a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"))
    places = read_places(text)
    plain, marked = (opened(draw_map(places, shape=(1, 1), feather=0.0, marked=each)) for each in ((), ((0, 0, 2, 2),)))
    assert plain.getpixel((2, 60)) != marked.getpixel((2, 60))
    assert plain.getpixel((300, 300)) == marked.getpixel((300, 300))


def test_a_mask_of_a_place() -> None:
    """White inside, black outside, grey between where it is soft."""
    hard = Image.open(io.BytesIO(place_mask(HALVES[0].boxes, (90, 60))))
    assert (hard.mode, hard.getpixel((44, 30)), hard.getpixel((45, 30))) == ("L", 255, 0)
    soft = Image.open(io.BytesIO(place_mask(HALVES[0].boxes, (90, 60), feather=12)))
    assert 60 < float(soft.getpixel((45, 30)) or 0) < 200  # type: ignore[arg-type]
