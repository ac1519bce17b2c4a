"""Where a tiled upscale paints: counted as the original counts."""

import pytest

from inference.api.errors import RequestInvalid
from inference.api.redraw import SdUpscale, SeamFix, UltimateUpscale
from inference.api.tiles import (
    chain_of,
    sd_boxes,
    sd_overlap_of,
    sd_tile_of,
    stages_of,
    target_of,
    tile_of,
    tile_origins,
)


@pytest.mark.parametrize(
    ("times", "factors"),
    [
        (1, ()),
        (2, (2,)),
        (3, (3,)),
        (4, (4,)),
        (5, (3, 2)),
        (6, (3, 2)),
        (7, (4, 2)),
        (8, (4, 2)),
        (9, (3, 3)),
        (12, (4, 3)),
        (16, (4, 4)),
    ],
)
def test_the_chain_of_upscalers_is_the_originals(times: int, factors: tuple[int, ...]) -> None:
    """What 2 or 3 does not divide is raised first; then 4, 3 and 2 in this order."""
    assert chain_of((64, 40), (64 * times, 40 * times)) == factors


@pytest.mark.parametrize("times", [10, 13, 14, 15, *range(17, 129)])
def test_where_the_original_stops_with_an_error_the_chain_ends(times: int) -> None:
    """Every number of times comes to an end, with less than two times left to Lanczos."""
    factors = chain_of((64, 64), (64 * times, 64))
    made = 1
    for factor in factors:
        assert factor in (2, 3, 4)
        made *= factor
    assert times / 2 < made


def test_sides_grow_to_multiples_of_64() -> None:
    """Each side by itself, so the proportions may move a little."""
    assert target_of((512, 512), 2) == (1024, 1024)
    assert target_of((500, 333), 2) == (1024, 704)
    assert target_of((512, 512), 1) == (512, 512)


def test_a_zero_copies_the_other_side() -> None:
    """Tiles are square where one side is left out."""
    assert tile_of(UltimateUpscale((1024, 1024), tile=(256, 0))) == (256, 256)
    assert tile_of(UltimateUpscale((1024, 1024), tile=(0, 320))) == (320, 320)
    assert tile_of(UltimateUpscale((1024, 1024), tile=(256, 384))) == (256, 384)


def test_tiles_lie_row_after_row() -> None:
    """One pixel wider than they say, at sizes rounded up to 64 with their padding; the last ones may stand over."""
    (stage,) = stages_of(UltimateUpscale((1100, 600), tile=(512, 0)))
    assert (stage.process, stage.padding, stage.blur, stage.strength) == ((576, 576), 32, 8, None)
    assert [spot.box for spot in stage.spots] == [
        (left, top, left + 513, top + 513) for top in (0, 512) for left in (0, 512, 1024)
    ]
    (exact,) = stages_of(UltimateUpscale((512, 512), padding=0))
    assert (exact.process, len(exact.spots)) == ((512, 512), 1)


def test_chess_paints_one_colour_first() -> None:
    """All tiles whose row and column add up to an even number, then the others, each row after row."""
    (stage,) = stages_of(UltimateUpscale((192, 128), tile=(64, 0), order="chess", padding=0))
    places = [(spot.box[0] // 64, spot.box[1] // 64) for spot in stage.spots]
    assert places == [(0, 0), (2, 0), (1, 1), (1, 0), (0, 1), (2, 1)]


def test_seams_are_painted_after_the_tiles() -> None:
    """Bands along inner edges; half tiles, offset downwards and sideways; and where four tiles meet."""
    plain = UltimateUpscale((1536, 1024), order="none", seams=SeamFix("band", width=64, padding=16, mask_blur=7))
    upright, level = stages_of(plain)
    assert [spot.box for spot in upright.spots] == [(480, 0, 544, 1024), (992, 0, 1056, 1024)]
    assert (upright.process, upright.blur, upright.padding, upright.strength) == ((96, 1024), 0, 16, 0.35)
    assert [spot.box for spot in level.spots] == [(0, 480, 1536, 544)]
    assert level.process == (1536, 96)

    halves = stages_of(UltimateUpscale((1536, 1024), seams=SeamFix("half tile", mask_blur=6)))
    assert [len(stage.spots) for stage in halves] == [6, 3, 4]
    assert [stage.process for stage in halves] == [(576, 576), (512, 512), (512, 512)]
    assert [stage.blur for stage in halves] == [8, 6, 6]
    assert halves[1].spots[0].box == (0, 256, 512, 768)
    assert halves[2].spots[0].box == (256, 0, 768, 512)

    whole = stages_of(UltimateUpscale((1536, 1024), seams=SeamFix("intersections", padding=24)))
    assert [len(stage.spots) for stage in whole] == [6, 3, 4, 2]
    assert [stage.padding for stage in whole] == [32, 24, 24, 0]
    assert whole[3].spots[0].box == (256, 256, 768, 768)


def test_one_tile_has_no_seams() -> None:
    """Where nothing meets, nothing is mended."""
    assert len(stages_of(UltimateUpscale((512, 512), seams=SeamFix("intersections")))) == 1


def test_tiles_of_sd_upscale_share_their_edges() -> None:
    """As the webui's split_grid; a tile larger than the picture is as large as the picture."""
    redraw = SdUpscale((1024, 512), overlap=64)
    assert sd_tile_of(redraw, (512, 640)) == (512, 512)
    assert sd_boxes(redraw, (512, 640)) == ((0, 0, 512, 512), (256, 0, 768, 512), (512, 0, 1024, 512))
    assert sd_overlap_of(SdUpscale((1024, 512), overlap=256), (128, 128)) == 64
    assert tile_origins(100, 32, 8) == [0, 22, 45, 68]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: UltimateUpscale((32, 1024)), "64 to 8,192 pixels a side"),
        (lambda: UltimateUpscale((8192, 4096)), "16,777,216 in all"),
        (lambda: UltimateUpscale((1024, 1024), order="none"), "Neither tiles nor seams"),
        (lambda: UltimateUpscale((8192, 512), seams=SeamFix("band")), "choose half tiles"),
        (lambda: UltimateUpscale((1024, 1024), tile=(0, 0)), "64 to 2,048"),
        (lambda: UltimateUpscale((1024, 1024), padding=-1), "Padding"),
        (lambda: SdUpscale((1024, 1024), overlap=257), "overlap"),
        (lambda: SeamFix("band", denoising_strength=1.5), "Strength"),
    ],
)
def test_what_cannot_be_is_a_sentence(make, sentence: str) -> None:
    """Sizes, tiles and seams out of range."""
    with pytest.raises(RequestInvalid, match=sentence):
        make()
