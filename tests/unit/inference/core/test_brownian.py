"""Brownian paths and Philox: what no vector of the webui's shows."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torchsde
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine.brownian import BrownianPath, _Seeds
from inference.engine.noise import NoiseStream
from inference.engine.philox import _normals, philox_normals, philox_rows

LOW, HIGH, SHAPE = 0.0291675366461277, 14.614643096923828, (4, 6, 5)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(LOW, HIGH), min_size=2, max_size=4))
def test_the_path_is_torchsdes(seed: int, levels: list[float]) -> None:
    """With torch's own numbers at the nodes, increments over any levels are those of torchsde's tree."""
    tree = torchsde.BrownianTree(LOW, torch.zeros(SHAPE), HIGH, entropy=seed)
    path = BrownianPath(seed, LOW, HIGH, SHAPE, source="cpu")
    singles = torch.tensor(levels).tolist()
    for begin, end in pairwise(singles):
        if round(begin, 6) == round(end, 6):
            continue  # torchsde cannot be asked for nothing
        low, high = (
            min(max(level, round(LOW, 6)), round(HIGH, 6)) for level in sorted((begin, end))
        )  # it warns outside
        increment = tree(low, high) * math.copysign(1, end - begin)
        found = path(begin, end) * math.sqrt(abs(begin - end))
        torch.testing.assert_close(found, increment, atol=5e-6, rtol=1e-5)


@given(st.integers(0, 2**32 + 15), st.integers(0, 40), st.data())
def test_seeds_are_numpys(entropy: int, depth: int, data: st.DataObject) -> None:
    """The short way to a bridge's seed gives what numpy's SeedSequence gives."""
    key = data.draw(st.integers(0, 2**depth - 1))
    (whole,) = np.random.SeedSequence(entropy, pool_size=24).generate_state(1)
    (bridge,) = np.random.SeedSequence(entropy, spawn_key=(key, depth), pool_size=24).generate_state(1)
    assert (_Seeds(entropy).whole, _Seeds(entropy).bridge(key, depth)) == (whole, bridge)


def test_nothing_between_equal_levels() -> None:
    """A step of no length gets no noise instead of a division by nothing."""
    assert not BrownianPath(1, LOW, HIGH, SHAPE)(2.0, 2.0).any()
    assert not BrownianPath(1, LOW, LOW, SHAPE)(LOW, LOW).any()


def test_increments_have_unit_variance() -> None:
    """Each increment is normalised: standard normal numbers, whatever the length of the step."""
    path = BrownianPath(7, LOW, HIGH, (4, 64, 64))
    for begin, end in ((HIGH, 9.0), (9.0, 8.99), (0.5, LOW)):
        assert path(begin, end).std() == pytest.approx(1, abs=0.03)


def test_the_path_ignores_the_stream_and_its_delta() -> None:
    """Draws of the stream do not move the path, and a stream begun anew (ENSD) keeps the picture's own path."""
    plain, moved = NoiseStream(5), NoiseStream(31342, entropy=5)
    moved.next(SHAPE)
    torch.testing.assert_close(plain.brownian(LOW, HIGH, SHAPE)(3.0, 1.0), moved.brownian(LOW, HIGH, SHAPE)(3.0, 1.0))


def test_many_rows_are_the_single_rows() -> None:
    """What a graphics card computes at once is what a CPU computes row by row and block by block."""
    streams, count = [(5, 0), (2**40 + 3, 7)], 40_000
    rows = philox_rows(streams, count)
    words = torch.tensor([[seed & 0xFFFFFFFF, seed >> 32, draw] for seed, draw in streams])
    at_once = _normals(words, torch.arange(count))
    torch.testing.assert_close(at_once, rows, atol=2e-6, rtol=0)
    torch.testing.assert_close(philox_normals(*streams[1], count), rows[1], atol=0, rtol=0)
