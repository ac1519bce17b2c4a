"""Maps on the canvas: three ways of fitting, and resizing by which each kind of map stays what it is."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.ndimage import label

from inference.engine.annotators.annotation import Annotation
from inference.engine.annotators.fitting import ResizeMode, fit, fit_annotation
from inference.engine.annotators.thinning import one_pixel_wide, pencilled, suppressed, thinned
from tests.unit.inference.annotators.running import noise

MODES: Sequence[ResizeMode] = (0, 1, 2)


def fitted(picture: Image.Image, size: tuple[int, int], mode: ResizeMode) -> np.ndarray:
    """(H, W, 3), 0 to 255."""
    return np.asarray(fit_annotation(Annotation(picture), size=size, resize_mode=mode).picture)


def lines(size: tuple[int, int], *, width: int) -> Image.Image:
    """White strokes on black, without grey."""
    picture = Image.new("L", size, 0)
    draw = ImageDraw.Draw(picture)
    draw.line((size[0] // 8, size[1] // 8, size[0] * 7 // 8, size[1] * 3 // 4), fill=255, width=width)
    draw.line((size[0] // 8, size[1] * 7 // 8, size[0] * 7 // 8, size[1] // 4), fill=255, width=width)
    return picture.convert("RGB")


def test_the_hint_is_rgb_from_0_to_1() -> None:
    """(1, 3, H, W) fp32; a map of the canvas' own size is taken as it is."""
    picture = noise((96, 64))
    for mode in MODES:
        hint = fit(Annotation(picture), size=(96, 64), resize_mode=mode)
        assert (hint.shape, hint.dtype) == ((1, 3, 64, 96), torch.float32)
        assert (hint[0].permute(1, 2, 0).numpy() * 255 == np.asarray(picture)).all()


def test_stretching_shrinks_by_area_and_grows_along_curves() -> None:
    """A map of many colours: means where it shrinks, cubic curves where it grows."""
    picture = noise((96, 64))
    pixels = np.asarray(picture)
    assert (fitted(picture, (64, 48), 0) == cv2.resize(pixels, (64, 48), interpolation=cv2.INTER_AREA)).all()
    assert (fitted(picture, (128, 80), 0) == cv2.resize(pixels, (128, 80), interpolation=cv2.INTER_CUBIC)).all()


def test_crop_and_resize_covers_the_canvas() -> None:
    """By the larger ratio, the middle kept: 200 × 100 onto 64 × 64 is 128 × 64, 32 columns cut off on each side."""
    picture = noise((200, 100))
    whole = cv2.resize(np.asarray(picture), (128, 64), interpolation=cv2.INTER_AREA)
    assert (fitted(picture, (64, 64), 1) == whole[:, 32:96]).all()


def test_resize_and_fill_takes_the_median_of_the_border() -> None:
    """By the smaller ratio, in the middle of the colour that the border mostly has, each channel by itself."""
    picture = Image.new("RGB", (200, 100), (250, 10, 90))
    picture.paste(noise((120, 60)), (40, 20))
    picture.putpixel((0, 0), (0, 255, 0))
    pixels = fitted(picture, (64, 64), 2)
    assert (pixels[:16] == (250, 10, 90)).all()
    assert (pixels[48:] == (250, 10, 90)).all()
    assert (pixels[16:48] == cv2.resize(np.asarray(picture), (64, 32), interpolation=cv2.INTER_AREA)).all()


def test_a_palette_gets_no_new_colours() -> None:
    """Three to 199 colours are nearest neighbours, growing or shrinking; 200 are a picture."""
    few = noise((64, 64)).quantize(24, dither=Image.Dither.NONE).convert("RGB")
    before = {tuple(pixel) for pixel in np.asarray(few).reshape(-1, 3)}
    assert 2 < len(before) < 200
    for size in ((128, 96), (40, 40)):
        assert {tuple(pixel) for pixel in fitted(few, size, 0).reshape(-1, 3)} <= before
    many = np.zeros((10, 20, 3), np.uint8)
    many[:, :, 0] = np.arange(200).reshape(10, 20)
    assert len(np.unique(fitted(Image.fromarray(many), (40, 20), 0))) > 200


@pytest.mark.parametrize("size", [(512, 384), (96, 72)])
@pytest.mark.parametrize("width", [1, 9])
def test_a_map_of_two_levels_stays_one(width: int, size: tuple[int, int]) -> None:
    """Black and white come out as black and white, never grey; the shape stays, and broad strokes stay broad."""
    picture = lines((256, 192), width=width)
    pixels = fitted(picture, size, 0)
    assert set(np.unique(pixels)) == {0, 255}
    assert (pixels == pixels[:, :, :1]).all()
    wanted = cv2.resize(np.asarray(picture)[:, :, 0], size, interpolation=cv2.INTER_AREA) > 60
    near = cv2.dilate(pixels[:, :, 0], np.ones((5, 5), np.uint8)) > 0
    assert near[wanted].mean() > 0.98
    scale = size[0] / 256
    if width == 9:
        assert (pixels[:, :, 0] > 0).sum() == pytest.approx(
            (np.asarray(picture)[:, :, 0] > 0).sum() * scale**2, rel=0.1
        )


def test_lines_one_pixel_wide_become_that_again() -> None:
    """Enlarged four times, a thin line is not four pixels wide: an opening finds nothing, and it is still in one piece."""
    picture = Image.new("L", (64, 48), 0)
    ImageDraw.Draw(picture).line((6, 6, 57, 40), fill=255, width=1)
    grown = fitted(picture.convert("RGB"), (256, 192), 0)[:, :, 0]
    assert one_pixel_wide(np.repeat(grown[:, :, None], 3, axis=2))
    opened = cv2.dilate(cv2.erode(grown, np.ones((2, 2), np.uint8)), np.ones((2, 2), np.uint8))
    assert (opened > 0).mean() < (grown > 0).mean() / 2
    assert label(grown > 0, np.ones((3, 3)))[1] == 1
    broad = np.asarray(lines((64, 48), width=7))
    assert not one_pixel_wide(broad)


def test_grey_levels_apart_are_no_map_of_two_levels() -> None:
    """Two colours that are not nearly black and nearly white are resized softly."""
    picture = Image.new("RGB", (64, 64), (60, 60, 60))
    picture.paste((180, 180, 180), (0, 0, 32, 64))
    assert len(np.unique(fitted(picture, (100, 100), 0))) > 2


def test_what_is_masked_is_minus_one() -> None:
    """An inpainting hint: colours where the mask is black, -1 where it is white, in every way of fitting."""
    picture, mask = noise((96, 64)), Image.new("L", (96, 64), 0)
    mask.paste(255, (0, 0, 48, 64))
    for mode in MODES:
        hint = fit(Annotation(picture, mask), size=(128, 128), resize_mode=mode)
        assert (hint[0, :, 64, 30] == -1).all()
        assert (hint[0, :, 64, 100] >= 0).all()
        assert hint.shape == (1, 3, 128, 128)
    filled = fit(Annotation(picture, mask), size=(128, 128), resize_mode=2)
    assert (filled[0, :, :20] == -1).all()


@pytest.mark.parametrize("size", [(1, 1), (20_000, 10), (10, 20_000)])
@pytest.mark.parametrize("mode", MODES)
def test_any_shape_fits(size: tuple[int, int], mode: ResizeMode) -> None:
    """One pixel, or a picture two thousand times as long as high, is fitted without filling the memory."""
    hint = fit(Annotation(Image.new("RGB", size, (1, 2, 3))), size=(512, 640), resize_mode=mode)
    assert hint.shape == (1, 3, 640, 512)
    assert hint.flatten(2).amax(dim=2)[0].tolist() == pytest.approx([1 / 255, 2 / 255, 3 / 255])


def test_what_will_be_cropped_is_not_enlarged_first() -> None:
    """Of a picture far too long the middle alone is resized: the same pixels as of that middle."""
    picture = noise((40_000, 16))
    middle = picture.crop((19_990, 0, 20_010, 16))
    got, wanted = fitted(picture, (512, 512), 1), fitted(middle, (640, 512), 0)[:, 64:576]
    assert abs(got.astype(int) - wanted.astype(int))[:, 40:-40].mean() < 1


def test_ridges_and_skeletons() -> None:
    """Suppression keeps what is largest across one of four directions; thinning leaves one pixel, pruning takes burrs off."""
    hill = np.zeros((9, 9), np.float32)
    hill[:, 3:6] = (1, 3, 1)
    assert (suppressed(hill)[:, 4] == 3).all()
    bar = np.zeros((15, 31), np.uint8)
    bar[5:10, 3:28] = 255
    skeleton = thinned(bar, prune=False)
    assert ((skeleton > 0).sum(axis=0)[8:23] == 1).all()
    assert (skeleton[7, 8:23] == 255).all()
    assert (thinned(bar, prune=True) > 0).sum() < (skeleton > 0).sum()
    assert (bar[5:10, 3:28] == 255).all(), "what was handed in is left alone"


def test_edges_become_pencil_strokes() -> None:
    """A soft ridge over 127 becomes one broad white stroke; what is fainter leaves nothing."""
    soft = np.zeros((96, 96), np.float32)
    soft[:, 48] = 255 * 8
    soft = cv2.GaussianBlur(soft, (0, 0), 4).clip(0, 255).astype(np.uint8)
    stroke = pencilled(soft)
    assert set(np.unique(stroke)) == {0, 255}
    assert (stroke[20:76, 48] == 255).all()
    assert (stroke[48] > 0).sum() == 19, "seven columns over 127, and six more on each side that the last blur lights"
    assert pencilled((soft // 3).astype(np.uint8)).max() == 0
