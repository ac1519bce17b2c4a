"""The prompt language against the webui's own reading of 216 prompts (`prompts.json`; how they were made: README)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from inference.engine.prompt.attention import parse_attention
from inference.engine.prompt.chunks import Chunk, cut
from inference.engine.prompt.networks import strip_networks
from inference.engine.prompt.plan import plan_prompt, split_parts
from inference.engine.prompt.schedule import schedule
from inference.engine.tokenizer import tokenizer

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
ROWS: list[dict[str, Any]] = json.loads((FOLDER / "prompts.json").read_text(encoding="utf-8"))["rows"]
LEFT_WHOLE = ("2.>::1.2]]", ":-0.3")
"""Prompts with these pieces: brackets inside brackets that the original gives up on as a whole, and we read in part."""


def same(chunks: tuple[Chunk, ...], expected: list[dict[str, Any]]) -> bool:
    """Whether windows agree in ids and weights."""
    return len(chunks) == len(expected) and all(
        list(chunk.tokens) == window["tokens"] and chunk.multipliers == pytest.approx(window["multipliers"], abs=1e-9)
        for chunk, window in zip(chunks, expected, strict=True)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_weights(row: dict[str, Any]) -> None:
    """Brackets become the original's fragments and weights; where the original raises, ours is some text all the same."""
    ours = parse_attention(row["prompt"])
    if isinstance(row["attention"], dict):
        assert all(isinstance(fragment.text, str) for fragment in ours)
        return
    assert [fragment.text for fragment in ours] == [text for text, _ in row["attention"]]
    assert [fragment.weight for fragment in ours] == pytest.approx([weight for _, weight in row["attention"]])


@pytest.mark.parametrize("row", [row for row in ROWS if row.get("chunks")], ids=lambda row: str(row["id"]))
def test_windows(row: dict[str, Any]) -> None:
    """A prompt is cut into the original's windows of tokens, with its weights."""
    chunks = cut(row["prompt"], tokenize=tokenizer().encode)
    alternatives = [row["chunks"], *([row["chunks_transformers_5"]] if "chunks_transformers_5" in row else [])]
    assert any(same(chunks, expected) for expected in alternatives)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if not row["schedule_ambiguous"] and not any(piece in row["prompt"] for piece in LEFT_WHOLE)],
    ids=lambda row: str(row["id"]),
)
def test_schedules(row: dict[str, Any]) -> None:
    """Texts change at the original's calls, in a first and in a second pass."""
    for name, expected in row["schedules"].items():
        if name.endswith("_old"):
            continue
        first, _, second = name.partition("+hires")
        calls, before = (int(second), int(first)) if second else (int(first), None)
        assert [list(stage) for stage in schedule(row["prompt"], calls, before=before)] == expected, name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_parts_and_networks(row: dict[str, Any]) -> None:
    """AND parts and their weights are the original's; so is the text without its network tags."""
    assert strip_networks(row["prompt"])[0] == row["extra_networks"]["remaining"]
    if "subprompts" in row["multicond"]:
        expected = [(row["multicond"]["subprompts"][i], weight) for i, weight in row["multicond"]["indexes_weights"]]
        assert split_parts(row["prompt"]) == expected


def test_a_plan_says_what_holds_at_each_call() -> None:
    """The first text holds one call longer than it says; AND parts keep their weights; a negative knows no AND."""
    encode = tokenizer().encode
    plan = plan_prompt("[cat:dog:3] AND a hat :0.5", calls=10, tokenize=encode)
    cat = cut("cat ", tokenize=encode)
    assert [plan.at(call)[0][1] == cat for call in range(6)] == [True] * 4 + [False] * 2
    assert [weight for weight, _ in plan.at(0)] == [1.0, 0.5]
    assert len(plan_prompt("salt AND pepper", calls=10, tokenize=encode, composable=False).parts) == 1


@pytest.mark.parametrize(
    "text", ["(" * 10_000, "[" * 500 + "a|b" + "]" * 500, "[a:" * 300 + "b" + ":0.5]" * 300, "((a)" * 2_000]
)
def test_unbalanced_brackets_are_only_text(text: str) -> None:
    """Ten thousand brackets that make no sense are a prompt like any other."""
    assert plan_prompt(text, calls=20, tokenize=tokenizer().encode).at(0)
