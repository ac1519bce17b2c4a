"""The prompt language under any input: every text has a plan, and none takes more than time in proportion to its length."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.api.attention import parse_attention
from inference.api.infotext import read_infotext
from inference.engine.prompt.chunks import WINDOW
from inference.engine.prompt.comments import strip_comments
from inference.engine.prompt.networks import strip_networks
from inference.engine.prompt.plan import plan_prompt, split_parts
from inference.engine.prompt.schedule import schedule

_MARKS = [
    "(",
    ")",
    "[",
    "]",
    ":",
    "|",
    "\\",
    " ",
    ",",
    "1.5",
    "0.5",
    "-1",
    "a cat",
    "BREAK",
    " AND ",
    "<lora:a:1>",
    "#",
]
_texts = st.lists(st.sampled_from(_MARKS) | st.text(max_size=3), max_size=20).map("".join)
LENGTH = 40_000
"""Letters of a text that is measured; what takes time with the square of it would take minutes."""
SECONDS = 8.0
"""The most that a text of that length may take of one processor; linear ones need a tenth."""


@given(_texts, st.integers(1, 40), st.none() | st.integers(1, 20), st.booleans())
@settings(max_examples=200, deadline=None)
@example("[[a:b:2]|(c:1..5)]:9", 4, None, False)
@example(":" + "9" * 400, 2, None, False)
def test_any_prompt_has_a_plan(text: str, calls: int, before: int | None, old: bool) -> None:
    """Windows are whole, weights are numbers, and every call finds its text, whatever was typed."""
    bare, tags = strip_networks(strip_comments(text))
    assert all(tag.kind for tag in tags)
    plan = plan_prompt(
        bare,
        calls=calls,
        before=before,
        old_timelines=old,
        tokenize=lambda words: [ord(sign) % 49406 for sign in words],
    )
    for call in range(calls + 2):
        for weight, windows in plan.at(call):
            assert isinstance(weight, float)
            assert windows
            assert all(len(window.tokens) == len(window.multipliers) == WINDOW + 2 for window in windows)


READERS: tuple[Callable[[str], object], ...] = (
    parse_attention,
    lambda text: schedule(text, 3),
    strip_networks,
    strip_comments,
    split_parts,
    read_infotext,
)


@pytest.mark.parametrize(
    "piece",
    ["(a", "[a", "(", "(a)", "[a|", "[a:", "[(a", "<a:", "<a:1", " ", "\n", "9", ":9", ": ", "\\", "BREAK ", "AND ", "#",
     "[a:b:9", "a, ", "a: b, ", 'a: "', "Hashes: [", "Steps: 1, ", "(a:1.1)", "[[a]:", "Negative prompt:\n", "é"],
)  # fmt: skip
def test_no_text_takes_more_than_its_length(piece: str) -> None:
    """A piece said over and over, alone or within what begins something, is read in time linear in its length."""
    for text in (
        piece * (LENGTH // len(piece)),
        f"[a:b:{'1' * LENGTH}x]{piece}",
        f"({piece * (LENGTH // len(piece))}:1.3)",
    ):
        for read in READERS:
            began = time.process_time()
            read(text)
            assert time.process_time() - began < SECONDS, f"{piece!r}"
