"""Grids as files: what stands where, and what becomes of one that is too large for Discord."""

import io
import random

import pytest
from PIL import Image

from bot.discord_ui.reply import Attachment
from bot.discord_ui.series.cards import Named, ResultFacts, menu_card, result_card
from bot.discord_ui.series.composing import cell_picture, drawn_part, grids, previews, thumbnail_side, whole
from bot.discord_ui.series.drawing import BLANK, annotated, image_grid
from bot.discord_ui.series.results import FILES, MESSAGE_LIMIT, parcels
from bot.discord_ui.view import layout as view_of
from bot.requests.plots.infotext import grid_text
from bot.requests.plots.layout import Layout, Mark, from_text, plain_layout, to_text
from inference.api.infotext import infotext_in


def colored(color: tuple[int, int, int], size: tuple[int, int] = (128, 128)) -> Image.Image:
    """One color."""
    return Image.new("RGB", size, color)


def noisy(seed: int, side: int = 128) -> Image.Image:
    """A picture that no format makes small."""
    return Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(side * side * 3))


def opened(file: Attachment) -> Image.Image:
    """The picture of a file."""
    return Image.open(io.BytesIO(file.data))


LABELLED = Layout(
    columns=2,
    rows=2,
    places=((0, 1, 0), (0, 0, 1)),
    across=((Mark("CFG Scale: 5.0"),), (Mark("CFG Scale: 7.0"),)),
    down=((Mark("cat"),), (Mark("dog"),)),
    words=("X: CFG Scale: 5, 7",),
)


def test_cells_stand_in_their_places_and_blanks_stay_blank() -> None:
    """A cell is where its place says, whatever the order of painting; one without a picture is blank."""
    drawn = drawn_part(LABELLED, {0: colored((255, 0, 0)), 1: colored((0, 0, 255))}, page=0, part=whole(LABELLED))
    left = 128 * 3 // 4
    top = drawn.height - 256
    assert drawn.width == 256 + left
    middles = {
        (row, column): drawn.getpixel((left + 64 + 128 * column, top + 64 + 128 * row))
        for row in (0, 1)
        for column in (0, 1)
    }
    assert middles == {(0, 0): BLANK, (0, 1): (0, 0, 255), (1, 0): (255, 0, 0), (1, 1): BLANK}


def test_long_legends_wrap_and_shrink() -> None:
    """Words wrap to the cell's width, and a word that is wider than the cell is written smaller, never over its edge."""
    grid = image_grid([colored((9, 9, 9))] * 2, rows=1)
    plain = annotated(grid, (128, 128), across=((Mark("a"),), (Mark("b"),)))
    long = annotated(grid, (128, 128), across=((Mark("several words that wrap in lines " * 2),), (Mark("x" * 60),)))
    assert long.width == plain.width == 256
    assert long.height > plain.height
    edge = [long.getpixel((column, row)) for row in range(long.height - 128) for column in (127, 128, 255)]
    assert set(edge) == {(255, 255, 255)}


def test_without_words_there_are_no_margins() -> None:
    """A grid without a legend is its cells and nothing else."""
    grid = image_grid([colored((1, 2, 3))] * 4)
    assert annotated(grid, (128, 128)).size == annotated(grid, (128, 128), across=((Mark(""),),)).size == grid.size


def test_a_small_grid_is_a_png_with_its_text() -> None:
    """What fits is the PNG, and carries the parameters of its cells with the script's own."""
    text = grid_text("a cat\nSteps: 20, Version: v1.10.1", {"Script": "X/Y/Z plot", "X Values": "1, 2"})
    assert text == 'a cat\nSteps: 20, Script: X/Y/Z plot, X Values: "1, 2", Version: v1.10.1'
    (file,) = grids(LABELLED, {0: noisy(1)}, name="easel-plot-1", title="a cat", infotext=text)
    assert file.name == "easel-plot-1.png"
    assert file.description.startswith("A grid of 2 by 2 pictures. a cat")
    assert infotext_in(file.data) == text


def test_over_the_limit_it_is_webp_and_then_tiles() -> None:
    """A PNG that is too large is sent as WebP, one that is too large as such in tiles, each with its part of the legend."""
    cells = {index: noisy(index) for index in range(4)}
    layout = Layout(columns=2, rows=2, places=((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)), across=LABELLED.across)
    (png,) = grids(layout, cells, name="g", title="", infotext="")
    (webp,) = grids(layout, cells, name="g", title="", infotext="x\nSteps: 1", limit=len(png.data) - 1)
    assert webp.name == "g.webp"
    assert opened(webp).size == opened(png).size
    tiles = grids(layout, cells, name="g", title="", infotext="", limit=len(webp.data) // 2)
    assert len(tiles) > 1
    assert [tile.name for tile in tiles] == [f"g-tile-{number}.webp" for number in range(1, len(tiles) + 1)]
    assert all(len(tile.data) <= len(webp.data) // 2 for tile in tiles)


def test_a_single_cell_that_never_fits_is_made_smaller() -> None:
    """One cell cannot be parted: it is made smaller until it fits."""
    layout = plain_layout(1)
    (file,) = grids(layout, {0: noisy(1, 256)}, name="g", title="", infotext="", limit=6_000)
    assert len(file.data) <= 6_000
    assert 0 < opened(file).width < 256


def test_previews_show_the_last_grids_small() -> None:
    """The growing grid is small enough for an edit every few seconds, and shows only grids that were begun."""
    layout = Layout(columns=20, rows=2, pages=3, places=tuple((page, 0, 0) for page in range(3)))
    side = thumbnail_side(layout)
    made = previews(layout, {1: colored((1, 1, 1), (side, side))}, title="t")
    assert [file.name for file in made] == ["grid-2.webp"]
    assert opened(made[0]).width <= 1_600


def test_several_pictures_of_a_cell_are_a_grid_of_their_own() -> None:
    """A cell of four pictures shows all four; a preview of it is as small as that of one."""
    buffer = io.BytesIO()
    colored((5, 5, 5)).save(buffer, "PNG")
    assert cell_picture([buffer.getvalue()] * 4).size == (256, 256)
    assert cell_picture([buffer.getvalue()] * 4, side=100).size == (100, 100)


def test_files_are_parcelled_for_discord() -> None:
    """No message has more than ten files or more bytes than Discord takes, and none is lost or moved."""
    files = [Attachment(f"{number}.png", bytes(3 * 2**20)) for number in range(23)]
    made = parcels(files)
    assert [file for parcel in made for file in parcel] == files
    assert all(len(parcel) <= FILES and sum(len(file.data) for file in parcel) <= MESSAGE_LIMIT for parcel in made)


@pytest.mark.parametrize("count", [0, 1, 25, 26, 1_000])
async def test_cards_are_what_discord_takes(count: int) -> None:
    """However many cells there are, whatever they are called, each card and each page of its menu keeps Discord's limits."""
    painted = tuple(Named(number, "<@1> `x` " * 500) for number in range(count))
    facts = ResultFacts(
        series=1,
        person=2,
        kind="plot",
        title="@everyone " * 400,
        words=("x" * 4_000,) * 3,
        painted=painted,
        failed=tuple(Named(number, "y" * 4_000, "z" * 4_000) for number in range(count)),
        left=count,
    )
    view_of(result_card(facts, [Attachment(f"{number}.png", b"", "alt") for number in range(10)]))
    for page in (0, 1, 39, 99):
        view_of(menu_card(1, painted, page=page))


def test_a_layout_is_kept_as_it_is() -> None:
    """What is written into the database is read back whole."""
    assert from_text(to_text(LABELLED)) == LABELLED
