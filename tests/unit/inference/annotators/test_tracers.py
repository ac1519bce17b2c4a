"""Preprocessors without networks, by their definitions and by what is to be seen in their maps."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from inference.api.preprocessors import PREPROCESSORS, Slider
from inference.engine.annotators.annotate import TRACERS
from inference.engine.job import Refused
from tests.unit.inference.annotators.running import drawing, levels, mapped, noise


def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian as scipy computes it, edges mirrored as OpenCV does."""
    return gaussian_filter(pixels.astype(np.float64), (sigma, sigma, 0), mode="mirror", truncate=4)


def test_none_takes_the_picture_as_it_is() -> None:
    """Size and pixels stay, whatever resolution is asked for."""
    picture = noise((123, 77))
    assert mapped(picture, "none", resolution=512).picture.tobytes() == picture.tobytes()


def test_canny_looks_at_the_short_side() -> None:
    """The picture is brought to the resolution by its short side, padded to 64s, traced, and cropped again."""
    annotation = mapped(drawing((300, 200)), "canny", resolution=100)
    assert annotation.picture.size == (150, 100)
    small = cv2.resize(np.asarray(drawing((300, 200))), (150, 100), interpolation=cv2.INTER_AREA)
    padded = np.pad(small, ((0, 28), (0, 42), (0, 0)), mode="edge")
    assert (levels(annotation)[:, :, 0] == cv2.Canny(padded, 100, 200)[:100, :150]).all()
    assert set(np.unique(levels(annotation))) == {0, 255}


def test_canny_obeys_its_sliders() -> None:
    """Lower thresholds find more; what is out of a slider's range counts as its default."""
    picture = noise((96, 96))
    lit = [
        int((levels(mapped(picture, "canny", threshold_a=a, threshold_b=b)) > 0).sum())
        for a, b in ((20, 40), (200, 250))
    ]
    assert lit[0] > lit[1]
    usual = levels(mapped(picture, "canny"))
    assert (levels(mapped(picture, "canny", threshold_a=0, threshold_b=256)) == usual).all()
    assert (levels(mapped(picture, "canny", threshold_a=-1, threshold_b=-1)) == usual).all()


def test_invert_and_threshold() -> None:
    """The negative of every channel; white where the darkest channel is over the threshold."""
    picture = noise()
    assert (levels(mapped(picture, "invert")) == 255 - np.asarray(picture)).all()
    annotation = mapped(picture, "threshold", resolution=64, threshold_a=100)
    assert (levels(annotation)[:, :, 1] == np.where(np.asarray(picture).min(axis=2) > 100, 255, 0)).all()


def test_scribbles() -> None:
    """Strokes of a drawing are lit where they are dark; XDoG lights what is darker than its surroundings."""
    picture = drawing()
    pixels = np.asarray(picture)
    strokes = levels(mapped(picture, "scribble", resolution=192))[:, :, 0]
    assert (strokes == np.where(pixels.min(axis=2) < 127, 255, 0)).all()
    fine, coarse = blurred(pixels, 0.5), blurred(pixels, 5)
    dog = 255 - np.floor((255 - (coarse - fine).min(axis=2)).clip(0, 255))
    sure = abs(2 * dog - 32) > 3
    traced = levels(mapped(picture, "scribble_xdog", resolution=192))[:, :, 0]
    assert (traced == np.where(2 * dog > 32, 255, 0))[sure].mean() > 0.999
    assert (
        levels(mapped(picture, "scribble_xdog", threshold_a=64)).sum() < levels(mapped(picture, "scribble_xdog")).sum()
    )


def test_a_broad_black_stroke_is_whole_in_xdog() -> None:
    """Differences over 127 do not wrap: no stroke has holes for being too dark."""
    picture = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(picture).line((10, 64, 118, 64), fill="black", width=4)
    assert (levels(mapped(picture, "scribble_xdog", resolution=128))[63:66, 20:100] == 255).all()


def test_standard_line_art() -> None:
    """Lines are measured by their own median, so that faint ones become as bright as strong ones."""
    strong, faint = (Image.blend(Image.new("RGB", (256, 192), "white"), drawing(), share) for share in (1.0, 0.5))
    maps = [levels(mapped(picture, "lineart_standard", resolution=192)).astype(int) for picture in (strong, faint)]
    assert abs(maps[0] - maps[1]).mean() < 3
    pixels = np.asarray(strong)
    darker = (blurred(pixels, 6) - pixels).min(axis=2).clip(0, 255)
    wanted = (darker / max(16, np.median(darker[darker > 8])) * 127).clip(0, 255)
    assert abs(maps[0][:, :, 0] - np.floor(wanted)).mean() < 1.5
    assert levels(mapped(Image.new("RGB", (64, 64), "grey"), "lineart_standard")).max() == 0


def test_tile_shrinks_by_area() -> None:
    """The rate divides both sides, each pixel a mean; below 1.1 nothing changes."""
    picture = noise((96, 64))
    small = levels(mapped(picture, "tile_resample", threshold_a=2))
    assert small.shape == (32, 48, 3)
    means = np.asarray(picture).reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))
    assert abs(small - means).max() <= 0.5
    assert mapped(picture, "tile_resample", threshold_a=1.09).picture.tobytes() == picture.tobytes()


def test_blur() -> None:
    """A Gaussian of that sigma, in pixels of the map."""
    picture = noise((128, 128))
    annotation = mapped(picture, "blur_gaussian", resolution=128, threshold_a=3)
    assert abs(levels(annotation) - blurred(np.asarray(picture), 3)).max() < 2


def test_shuffle_is_drawn_by_its_seed() -> None:
    """The same seed swirls alike, another otherwise; seeds count modulo 2³²; colours remain."""
    picture = drawing()
    first, again, other, beyond = (mapped(picture, "shuffle", seed=seed).picture for seed in (5, 5, 6, 5 + (1 << 32)))
    assert first.size == (683, 512)
    assert first.tobytes() == again.tobytes() == beyond.tobytes() != other.tobytes()
    assert abs(np.asarray(first).mean() - np.asarray(picture).mean()) < 60
    assert mapped(picture, "shuffle", seed=5, resolution=128).picture.size == (683, 512)


def test_inpainting_keeps_the_picture_and_a_mask() -> None:
    """The map is the picture, its mask beside it; without a mask a note says so."""
    picture, mask = noise((96, 64)), Image.new("L", (48, 32), 0)
    mask.paste(255, (24, 0, 48, 32))
    for name in ("inpaint_only", "inpaint_global_harmonious"):
        annotation = mapped(picture, name, mask=mask)
        assert annotation.picture.tobytes() == picture.tobytes()
        assert annotation.mask is not None
        assert (np.asarray(annotation.mask)[:, 48:] == 255).all()
        assert (np.asarray(annotation.mask)[:, :48] == 0).all()
        (note,) = mapped(picture, name).notes
        assert "no mask" in note


def test_a_drawn_mask_is_a_scribble() -> None:
    """For any preprocessor but inpainting's, a mask that says anything takes the picture's place; a blank one does not."""
    drawn = Image.new("L", (96, 64), 0)
    ImageDraw.Draw(drawn).line((5, 5, 90, 60), fill=255, width=4)
    assert mapped(noise(), "none", mask=drawn).picture.tobytes() == drawn.convert("RGB").tobytes()
    for blank in (0, 255):
        assert mapped(noise(), "none", mask=Image.new("L", (96, 64), blank)).picture.tobytes() == noise().tobytes()


def test_transparency_is_white_unless_it_is_the_drawing() -> None:
    """Transparent places are paper; white strokes on nothing, which paper would swallow, are read as what they are."""
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((16, 16, 40, 40), fill="red")
    pixels = levels(mapped(clear, "none"))
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[20, 20]) == (255, 0, 0)
    chalk = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(chalk).rectangle((16, 16, 40, 40), fill="white")
    pixels = levels(mapped(chalk, "none"))
    assert tuple(pixels[0, 0]) == (0, 0, 0)
    assert tuple(pixels[20, 20]) == (255, 255, 255)


def test_pixel_perfect_takes_its_resolution_from_the_canvas() -> None:
    """By the larger ratio where the map is cropped, by the smaller where it is fitted inside."""
    picture = noise((200, 100))
    sizes = [
        mapped(picture, "canny", pixel_perfect=True, size=(512, 768), resize_mode=mode, resolution=64).picture.size
        for mode in (0, 1, 2)
    ]
    assert sizes == [(1536, 768), (1536, 768), (512, 256)]
    assert mapped(picture, "canny", pixel_perfect=True).picture.size == (200, 100)


@pytest.mark.parametrize("name", sorted(TRACERS))
@pytest.mark.parametrize("size", [(1, 1), (1, 3), (64, 64)])
def test_the_smallest_pictures_and_those_of_one_colour(name: str, size: tuple[int, int]) -> None:
    """Whatever the picture, there is a map of whole pixels."""
    annotation = mapped(Image.new("RGB", size, (12, 200, 99)), name, mask=Image.new("L", size, 255))
    assert min(annotation.picture.size) >= 1
    assert annotation.picture.mode == "RGB"


@pytest.mark.parametrize("size", [(20_000, 10), (10, 20_000)])
def test_a_picture_that_is_far_too_long(size: tuple[int, int]) -> None:
    """Its map would have half a thousand million pixels: a sentence says so before anything is made."""
    with pytest.raises(Refused, match=r"20,000.*less long and thin.*\.$"):
        mapped(Image.new("RGB", size, "red"), "canny")


def test_an_unknown_preprocessor() -> None:
    """It is named, and what would be right is said."""
    with pytest.raises(Refused, match="no preprocessor called “cannny” here; choose one from the list"):
        mapped(noise(), "cannny")


def test_sliders_settle() -> None:
    """What was said counts within the range; the default else."""
    slider = Slider("x", 1, 8, 2, 0.5)
    assert [slider.settled(value) for value in (None, 1, 8, 0.9, 8.1, -1, 4)] == [2, 1, 8, 2, 2, 2, 4]
    assert all(row.low <= row.default <= row.high for each in PREPROCESSORS for row in each.sliders)
