"""Whatever somebody types as values of an axis, as parts of a prompt or as a file of prompts is read, and in bounded time."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import EaselError
from bot.requests.plots import lines, matrix
from bot.requests.plots.changes import read_size, reordered
from bot.requests.plots.order import cells, seed_offset
from bot.requests.plots.values import MAX_VALUES, Kind, Value, read_values

KINDS: tuple[Kind, ...] = ("int", "float", "str", "str_permutations")
NUMBERS = st.text(alphabet='0123456789-+.()[] ,e"', max_size=200)


def values_or_refusal(kind: Kind, text: str) -> tuple[tuple[Value, ...], str]:
    """What a text is read as, or the sentence that refuses it."""
    try:
        return read_values(kind, text), ""
    except EaselError as error:
        return (), error.sentence


@given(st.one_of(st.text(max_size=300), NUMBERS), st.sampled_from(KINDS))
def test_values_are_total(text: str, kind: Kind) -> None:
    """Any text is a bounded number of values of the axis' kind, or refused in a sentence."""
    values, refusal = values_or_refusal(kind, text)
    assert refusal == "" or refusal.endswith(".")
    assert len(values) <= MAX_VALUES
    wanted = {"int": int, "float": float, "str": str, "str_permutations": tuple}[kind]
    assert all(isinstance(value, wanted) for value in values)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 6000,
        "1" * 3000 + "-" + "2" * 2999,
        "1-2 " * 1500,
        "(" * 6000,
        '"' * 5999,
        "1-" * 3000,
        " " * 6000,
        "1.1" * 2000,
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_hard_texts_take_no_time(text: str, kind: Kind) -> None:
    """Texts that are made to be slow are read or refused as fast as others: CPU time, which other programs do not lengthen."""
    began = time.process_time()
    values_or_refusal(kind, text)
    assert time.process_time() - began < 0.5


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=20))
def test_a_list_of_numbers_is_itself(numbers: list[int]) -> None:
    """Numbers that are written out come back as they are, in order."""
    assert list(read_values("int", ", ".join(map(str, numbers)))) == numbers


COUNTS = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
COSTS = st.tuples(*[st.sampled_from((0.0, 0.5, 0.7, 1.0))] * 3)


@given(COUNTS, COSTS)
def test_every_cell_once_and_the_dearest_seldom(
    counts: tuple[int, int, int], costs: tuple[float, float, float]
) -> None:
    """Each cell comes once; the axis that is dearest changes only once a value, all others go round between."""
    order = list(cells(counts, costs))
    assert len(order) == len(set(order)) == counts[0] * counts[1] * counts[2]
    dearest = max(range(3), key=lambda axis: costs[axis])
    if sum(cost == costs[dearest] for cost in costs) == 1:
        changes = sum(a[dearest] != b[dearest] for a, b in pairwise(order))
        assert changes == counts[dearest] - 1


@given(COUNTS)
def test_varied_seeds_are_all_different(counts: tuple[int, int, int]) -> None:
    """With a seed of its own along every axis no two cells have the same, and together they are a row of numbers."""
    offsets = [seed_offset(cell, counts, vary=(True, True, True)) for cell in cells(counts, (0.0, 0.0, 0.0))]
    assert sorted(offsets) == list(range(len(offsets)))


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=10), max_size=6))
def test_orders_are_total(prompt: str, words: list[str]) -> None:
    """Any words in any prompt give some prompt that has all of them."""
    made = reordered(prompt, tuple(words))
    assert all(word in made for word in words)


@given(st.text(max_size=200))
def test_lines_matrices_and_sizes_are_total(text: str) -> None:
    """Any text is prompts, any text is a matrix or has too many parts, any text is a size or none."""
    read = lines.read_lines(text, prompt="", negative="", seed=1, pictures=1)
    assert len(read) == len([line for line in text.splitlines() if line.strip()])
    try:
        made = matrix.expand(text)
    except EaselError:
        assert text.count("|") > matrix.MAX_PARTS
    else:
        assert len(made.prompts) == 2 ** text.count("|")
    found = read_size(text)
    assert found is None or all(side >= 0 for side in found)
