"""The prompt language against the webui's own reading of 216 prompts (`prompts.json`; how they were made: README)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from inference.api.attention import parse_attention, uses_emphasis
from inference.engine.prompt.chunks import BACKTRACK, Chunk, cut
from inference.engine.prompt.comments import strip_comments
from inference.engine.prompt.networks import strip_networks
from inference.engine.prompt.plan import plan_prompt, split_parts
from inference.engine.prompt.schedule import schedule
from inference.engine.tokenizer import tokenizer

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
ROWS: list[dict[str, Any]] = json.loads((FOLDER / "prompts.json").read_text(encoding="utf-8"))["rows"]


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
    """A prompt is cut into the original's windows of tokens and weights; so it is without emphasis and at other backtracks."""
    encode = tokenizer().encode
    alternatives = [row["chunks"], *([row["chunks_transformers_5"]] if "chunks_transformers_5" in row else [])]
    ours = cut(row["prompt"], tokenize=encode)
    assert any(same(ours, expected) for expected in alternatives)
    if (plain := row.get("chunks_emphasis_none")) and "chunks_transformers_5" not in row:
        assert same(cut(row["prompt"], tokenize=encode, emphasis="None"), plain["chunks"])
    for name, variant in row.get("variants", {}).items():
        backtrack = int(name.removeprefix("backtrack_"))
        assert backtrack != BACKTRACK
        assert same(cut(row["prompt"], tokenize=encode, backtrack=backtrack), variant["chunks"]), name


@pytest.mark.parametrize("row", [row for row in ROWS if not row.get("chunks")], ids=lambda row: str(row["id"]))
def test_windows_where_the_original_gives_up(row: dict[str, Any]) -> None:
    """A weight that is no number ends the original; here it is text, and without emphasis it is the original's text."""
    encode = tokenizer().encode
    assert row["chunks_error"] == "ValueError"
    assert cut(row["prompt"], tokenize=encode)
    assert same(cut(row["prompt"], tokenize=encode, emphasis="None"), row["chunks_emphasis_none"]["chunks"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_comments(row: dict[str, Any]) -> None:
    """From # to the end of the line, a prompt is a comment, as in the original."""
    assert strip_comments(row["prompt"]) == row["comments_stripped"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_order_of_reading(row: dict[str, Any]) -> None:
    """Networks go first, then AND splits, then each part has its own schedule, as a picture of 20 steps reads them."""
    parts = split_parts(strip_networks(row["prompt"])[0])
    ours = [{"weight": weight, "schedule": [list(stage) for stage in schedule(text, 20)]} for text, weight in parts]
    assert ours == row["pipeline_20"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_schedules(row: dict[str, Any]) -> None:
    """Texts change at the original's calls, in a first and in a second pass, on the new and on the old timelines."""
    for name, expected in row["schedules"].items():
        first, _, second = name.removesuffix("_old").partition("+hires")
        calls, before = (int(second), int(first)) if second else (int(first), None)
        stages = schedule(row["prompt"], calls, before=before, old=name.endswith("_old"))
        assert [list(stage) for stage in stages] == expected, name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_parts_and_networks(row: dict[str, Any]) -> None:
    """AND parts and their weights are the original's; so is the text without its network tags."""
    remaining, tags = strip_networks(row["prompt"])
    assert remaining == row["extra_networks"]["remaining"]
    found: dict[str, list[dict[str, Any]]] = {}
    for tag in tags:
        told = {"positional": [tag.name, *tag.positional], "named": dict(tag.named)}
        found.setdefault(tag.kind, []).append(told)
    wanted = row["extra_networks"]["networks"]
    assert found == {
        kind: [{key: one[key] for key in ("positional", "named")} for one in all_] for kind, all_ in wanted.items()
    }
    if "subprompts" in row["multicond"]:
        expected = [(row["multicond"]["subprompts"][i], weight) for i, weight in row["multicond"]["indexes_weights"]]
        assert split_parts(row["prompt"]) == expected


def test_parts_of_several_prompts_keep_their_texts_and_weights() -> None:
    """Several prompts in one call split as each does alone; equal texts may share an index."""
    batch = json.loads((FOLDER / "prompts.json").read_text(encoding="utf-8"))["multicond_batch"]
    for prompt, indexes in zip(batch["prompts"], batch["indexes_weights"], strict=True):
        assert split_parts(prompt) == [(batch["subprompts"][index], weight) for index, weight in indexes]


def test_emphasis_is_noticed() -> None:
    """A weight other than 1 is emphasis; a BREAK is none."""
    assert [uses_emphasis(text) for text in ("a (b)", "a [b]", "a (b:1)", "a BREAK b", "a")] == [
        True,
        True,
        False,
        False,
        False,
    ]


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
