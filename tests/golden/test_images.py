"""What becomes of pictures before and after painting, against the webui's own (`images.*`; how they were made: its README)."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from inference.api.catalog import LATENT_UPSCALERS as ROWS
from inference.api.request import Inpaint, SourcePicture
from inference.engine.masks import filled, latent_mask, masked_box, overlay_mask, read_mask, soften, widened
from inference.engine.redraw.quilt import Quilt
from inference.engine.source import fit
from inference.engine.start import Start, begin, finish
from inference.engine.upscalers.tiles import tile_origins

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
GIVEN: dict[str, Any] = json.loads((FOLDER / "images.json").read_text(encoding="utf-8"))
CONTENTS = ("fill", "original", "latent noise", "latent nothing")
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """All arrays of the file."""
    with np.load(FOLDER / "images.npz") as file:
        return {key: file[key] for key in file.files}


def apart(picture: Image.Image, expected: NDArray[Any]) -> int:
    """The largest difference of two pictures, in levels."""
    assert np.asarray(picture).shape == expected.shape
    return int(np.abs(np.asarray(picture).astype(int) - expected.astype(int)).max())


def nearest(key: str, picture: Image.Image, arrays: Arrays) -> int:
    """As `apart`, from whichever of the recorded versions of Pillow is nearer."""
    return min(apart(picture, arrays[name]) for name in (key, f"{key}_pillow9_5") if name in arrays)


def prepared(case: dict[str, Any], arrays: Arrays) -> tuple[Start, SourcePicture]:
    """What the engine prepares for a case of `img2img_prepare`."""
    part = Inpaint(
        mask="m",
        blur=case["mask_blur_x"],
        blur_y=case["mask_blur_y"],
        content=CONTENTS[int(case["inpainting_fill"])],
        only_masked=case["only_masked"],
        padding=case["padding"],
        invert=bool(case["invert"]),
        rounded=case["mask_round"],
    )
    source = SourcePicture("p", resize_mode=case["resize_mode"], inpaint=part)
    mask = read_mask(Image.fromarray(arrays[case["mask"]]), rounded=part.rounded, invert=part.invert)
    size = case["width"], case["height"]
    preparing = begin(Image.fromarray(arrays[case["image"]]), mask, source=source, size=size)
    with pytest.raises(StopIteration) as end:
        next(preparing)
    return end.value.value, source


@pytest.mark.parametrize("case", GIVEN["resize"], ids=lambda case: case["key"])
def test_resize_modes_are_the_original(case: dict[str, Any], arrays: Arrays) -> None:
    """Stretching, cropping and filling give the original's pixels."""
    fitted = fit(Image.fromarray(arrays["image"]), (case["w"], case["h"]), case["mode"])
    assert nearest(case["key"], fitted, arrays) <= 1


@pytest.mark.parametrize(
    "case", GIVEN["crop_region"], ids=lambda c: f"{c['mask']} {c['pad']} {c['process_w']}x{c['process_h']}"
)
def test_the_box_of_a_mask_is_the_original(case: dict[str, Any], arrays: Arrays) -> None:
    """Padding and growing to the canvas' proportions give the original's corners; a blank mask has no box."""
    alpha = case["mask"].startswith("alpha of ")
    picture = Image.fromarray(arrays[case["mask"].removeprefix("alpha of ") if alpha else f"mask_{case['mask']}"])
    mask = picture.getchannel("A") if alpha else picture
    box = masked_box(mask, case["pad"])
    assert box == (None if case["region"] is None else tuple(case["region"]))
    if box is not None:
        grown = widened(box, shape=(case["process_w"], case["process_h"]), within=mask.size)
        assert grown == tuple(case["expanded"])


@pytest.mark.parametrize("case", GIVEN["expand_only"], ids=lambda case: str(case["region"]))
def test_boxes_grow_as_in_the_original(case: dict[str, Any]) -> None:
    """Boxes of any place and proportion grow to the original's corners."""
    grown = widened(tuple(case["region"]), shape=tuple(case["process"]), within=tuple(case["image"]))
    assert grown == tuple(case["expanded"])


def test_a_hole_is_filled_as_in_the_original(arrays: Arrays) -> None:
    """Masked content "fill" makes up the original's colours."""
    case = GIVEN["fill"]
    result = filled(Image.fromarray(arrays[case["image"]]), Image.fromarray(arrays[case["mask"]]))
    assert nearest(case["key"], result, arrays) <= 2


@pytest.mark.parametrize("case", GIVEN["img2img_prepare"], ids=lambda case: case["key"])
def test_inpainting_is_prepared_as_in_the_original(case: dict[str, Any], arrays: Arrays) -> None:
    """The picture that is encoded, the latent that stays, and what is laid over the result are the original's."""
    start, source = prepared(case, arrays)
    key, part = case["key"], source.inpaint
    assert part is not None
    encoded = Image.fromarray(np.moveaxis(arrays[f"{key}_vae_input"], 0, -1))
    assert apart(start.picture, np.asarray(encoded)) <= 2
    box = (
        None
        if start.box is None
        else [start.box[0], start.box[1], start.box[2] - start.box[0], start.box[3] - start.box[1]]
    )
    assert box == case["paste_to"]
    if f"{key}_keep_latent" not in arrays:
        assert start.mask is None
        return
    assert start.mask is not None
    painted = latent_mask(start.mask, (case["width"] // 8, case["height"] // 8), rounded=part.rounded)
    assert np.abs(1 - painted[0, 0].numpy() - arrays[f"{key}_keep_latent"]).max() <= 2 / 255
    stand_in = np.asarray(start.picture)[::8, ::8, 0].astype(np.float32) / 255
    latent = torch.tensor(np.broadcast_to(stand_in, (4, *stand_in.shape)).copy())
    if part.content == "latent nothing":
        latent = latent * (1 - painted[0])
    assert np.abs(latent.numpy() - arrays[f"{key}_init_latent"]).max() <= 2.01 / 255
    assert start.above is not None
    assert nearest(f"{key}_overlay", start.above, arrays) <= 2
    over = soften(
        read_mask(Image.fromarray(arrays[case["mask"]]), rounded=part.rounded, invert=part.invert),
        across=case["mask_blur_x"],
        down=case["mask_blur_y"],
    )
    if not part.only_masked:
        over = overlay_mask(fit(over, (case["width"], case["height"]), case["resize_mode"]))
    assert apart(over, arrays[f"{key}_mask_for_overlay"]) <= 2


@pytest.mark.parametrize(
    "case", [case for case in GIVEN["img2img_prepare"] if case["mask"] != "mask_blank"], ids=lambda case: case["key"]
)
def test_the_source_is_laid_back_as_in_the_original(case: dict[str, Any], arrays: Arrays) -> None:
    """The result lies under the source, in its place, with soft edges."""
    start, _ = prepared(case, arrays)
    result = finish(Image.fromarray(arrays[f"{case['key']}_generated"]), start)
    assert nearest(f"{case['key']}_composited", result, arrays) <= 2


def test_the_vectors_name_every_latent_upscaler() -> None:
    """The catalogue's latent upscalers are the webui's."""
    assert {row.label for row in ROWS} == {case["mode_label"] for case in GIVEN["latent_upscale"]}


@pytest.mark.parametrize("case", GIVEN["split_grid"], ids=lambda case: f"{case['tile_w']}x{case['tile_h']}")
def test_tiles_begin_where_the_originals_do(case: dict[str, Any]) -> None:
    """Upscalers' tiles lie where the original's lie; a tile larger than its side begins at 0, not outside of the picture."""
    (width, height), overlap = case["image_wh"], case["overlap"]
    rows = [row[0] for row in case["tiles"]]
    columns = [column[0] for column in case["tiles"][0][2]]
    assert tile_origins(height, case["tile_h"], overlap) == [max(0, top) for top in rows]
    assert tile_origins(width, case["tile_w"], overlap) == [max(0, left) for left in columns]


def test_tiles_are_joined_as_in_the_original(arrays: Arrays) -> None:
    """The picture cut into tiles, each inverted, and sewn together again: the original's seams, to a level."""
    case, picture = GIVEN["split_grid"][0], Image.fromarray(arrays["tiles_image"])
    across, down, overlap = case["tile_w"], case["tile_h"], case["overlap"]
    quilt = Quilt(picture.size, overlap)
    for top in tile_origins(picture.height, down, overlap):
        for left in tile_origins(picture.width, across, overlap):
            quilt.lay(ImageOps.invert(picture.crop((left, top, left + across, top + down))), left, top)
    assert apart(quilt.finished(), arrays["tiles_inverted_combined"]) <= 1


def test_tiles_are_sewn_as_the_originals_are(arrays: Arrays) -> None:
    """Inverted and put together again, they give the original's pixels."""
    case, picture = GIVEN["split_grid"][0], Image.fromarray(arrays["tiles_image"])
    quilt = Quilt(picture.size, case["overlap"])
    for top, height, row in case["tiles"]:
        for left, width in row:
            quilt.lay(ImageOps.invert(picture.crop((left, top, left + width, top + height))), left, top)
    assert apart(quilt.finished(), arrays["tiles_inverted_combined"]) <= 1


@pytest.mark.parametrize("case", GIVEN["split_grid"], ids=lambda case: f"{case['tile_w']}x{case['tile_h']}")
def test_tiles_of_sd_upscale_lie_where_the_originals_do(case: dict[str, Any]) -> None:
    """But for a picture that is smaller than a tile: there the original's stands over, and ours is as large as the picture."""
    (width, height), overlap = case["image_wh"], case["overlap"]
    rows = [row[0] for row in case["tiles"]]
    columns = [column[0] for column in case["tiles"][0][2]]
    if min(*rows, *columns) < 0:
        assert tile_origins(width, min(case["tile_w"], width), overlap) == [0]
        return
    assert tile_origins(height, case["tile_h"], overlap) == rows
    assert tile_origins(width, case["tile_w"], overlap) == columns
