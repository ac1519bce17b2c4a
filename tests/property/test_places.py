"""Words for places under any input: total, linear, and said again in the same words."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import RequestRefused
from bot.requests.places import GRID, laid_out, read_places, says_places, spoken, uncovered
from inference.api.regional import MAX_REGIONS, Regional
from inference.engine.prompt.networks import strip_networks
from inference.engine.prompt.plan import split_parts

PIECES = st.sampled_from(
    ["left", "right", "Top Left", "middle", "centre", "everywhere", "a1", "c3", "a1-b2", "+", ":", "|", "\n", " ", "a cat",
     "AND", "12:30", "(", ")", "[", "]", "{", "}", "\\", "# no", "<lora:x:1>", ",", "日本", "-1", ":.5", "left:", "| right: "]
)  # fmt: skip
TEXTS = st.text(max_size=80) | st.lists(PIECES, max_size=30).map("".join)
PLACES = st.sampled_from(
    ["left", "right", "top", "bottom", "top left", "bottom right", "middle", "a1", "b2-c3", "a1+c3", "everywhere"]
)
WORDS = st.sampled_from(["a cat", "a red (dog:1.2)", "[a|b] fox", "at 12:30", "salt AND pepper", "{x|y}", "sea, sun"])


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_any_text_is_a_layout_or_a_sentence(text: str) -> None:
    """Every part has its region, and the engine sees exactly those parts, each with the weight 1."""
    read_places(text)
    try:
        layout = laid_out(text)
    except RequestRefused:
        return
    assert says_places(text)
    assert 2 <= len(layout.regions) <= MAX_REGIONS
    parts = split_parts(strip_networks(layout.prompt)[0])
    assert len(parts) == len(layout.regions)
    assert {weight for _, weight in parts} == {1.0}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(PLACES, WORDS), min_size=1, max_size=4))
def test_what_is_said_of_a_layout_means_the_same(said: list[tuple[str, str]]) -> None:
    """Where there is a text for regions, it makes exactly them."""
    text = " | ".join(f"{place}: {words}" for place, words in said)
    try:
        layout = laid_out(text)
    except RequestRefused:
        return
    again = spoken(layout.prompt, Regional(layout.regions))
    assert again is None or laid_out(again) == layout


@given(st.lists(st.tuples(*[st.integers(0, GRID)] * 4), max_size=6))
def test_gaps_are_covered_once(corners: list[tuple[int, int, int, int]]) -> None:
    """Boxes and what they leave cover every sixth; gaps touch neither boxes nor each other."""
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    counts = [[0] * GRID for _ in range(GRID)]
    for top, left, bottom, right in uncovered(boxes):
        for y in range(top, bottom):
            for x in range(left, right):
                counts[y][x] += 1
    for y in range(GRID):
        for x in range(GRID):
            taken = any(top <= y < bottom and left <= x < right for top, left, bottom, right in boxes)
            assert counts[y][x] == (not taken)


def test_long_texts_take_linear_time() -> None:
    """A hundred times the letters take no more than about a hundred times as long."""
    for pattern in ("|", "\n", "| left", "left+", "(", "[|", " ", "| left:", "a1-"):
        times: list[float] = []
        for length in (2_000, 200_000):
            text = (pattern * length)[:length]
            best = min(_timed(text) for _ in range(3))
            times.append(best)
        assert times[1] < 600 * max(times[0], 1e-4), pattern


def _timed(text: str) -> float:
    start = time.perf_counter()
    read_places(text)
    return time.perf_counter() - start
