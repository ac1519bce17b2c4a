"""Tiles of an enlargement: for any size and any tiling, weights share each pixel out whole, and bands close in time."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine.upscalers.mosaic import Mosaic
from inference.engine.upscalers.tiles import Tiling, side_of

TILINGS = (
    st.integers(1, 40)
    .flatmap(lambda tile: st.tuples(st.just(tile), st.integers(0, tile)))
    .map(lambda pair: Tiling(*pair))
)


@settings(deadline=None)
@given(st.integers(1, 300), TILINGS, st.integers(1, 3))
def test_every_pixel_is_seen_by_a_tile_that_counts(length: int, tiling: Tiling, scale: int) -> None:
    """Tiles lie inside, in order, from the first pixel to the last, and their weights are nowhere all zero."""
    side = side_of(length, tiling)
    total = torch.zeros(length * scale)
    for origin in side.origins:
        weights = side.weights(origin, length, scale=scale)
        assert weights.shape == (side.tile * scale,)
        assert 0 <= float(weights.min()) <= float(weights.max()) <= 1
        total[origin * scale : (origin + side.tile) * scale] += weights
    assert side.origins == sorted(set(side.origins))
    assert (side.origins[0], side.origins[-1] + side.tile) == (0, length)
    assert float(total.min()) > 0


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), TILINGS, st.integers(1, 3))
def test_a_picture_that_is_put_together_again_is_itself(width: int, height: int, tiling: Tiling, scale: int) -> None:
    """Cut into tiles and laid in their order, each level comes back, and no tile comes for rows that are closed."""
    levels = np.random.default_rng(width * 91 + height).integers(0, 256, (height * scale, width * scale, 3))
    pixels = torch.from_numpy(levels).permute(2, 0, 1).float() / 255
    down, across = side_of(height, tiling), side_of(width, tiling)
    mosaic = Mosaic((width * scale, height * scale), band=down.tile * scale)
    for top in down.origins:
        mosaic.close(top * scale)
        for left in across.origins:
            weights = torch.outer(down.weights(top, height, scale=scale), across.weights(left, width, scale=scale))
            y, x = top * scale, left * scale
            mosaic.lay(pixels[:, y : y + weights.shape[0], x : x + weights.shape[1]], weights, left=x, top=y)
    assert np.abs(np.asarray(mosaic.finished()).astype(int) - levels).max() <= 1
