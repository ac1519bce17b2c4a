"""Styles against the webui's own (`xyz.json`; how it was made: README)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.requests.resolve import styled
from inference.api.styles import Style, read_styles, take_styles

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
VECTORS: dict[str, Any] = json.loads((FOLDER / "xyz.json").read_text(encoding="utf-8"))
STYLES = {style.name: style for style in read_styles(VECTORS["styles_csv"])}
UNKNOWN = Style("")
"""What a name stands for that nobody knows: to the webui it adds nothing. Easel's commands say so before it comes to that."""


def test_a_table_is_read() -> None:
    """Its rows, comments left out."""
    read = [[style.name, style.prompt, style.negative] for style in STYLES.values()]
    assert read == VECTORS["styles_loaded"]


def test_an_old_table_is_read() -> None:
    """The one with two columns."""
    old = VECTORS["styles_old_csv"]
    assert [[style.name, style.prompt, style.negative] for style in read_styles(old["csv"])] == old["loaded"]


@pytest.mark.parametrize("row", VECTORS["styles_apply"], ids=lambda row: f"{row['prompt']!r} {row['styles']}")
def test_styles_are_applied_in_their_order(row: dict[str, Any]) -> None:
    """Each wraps what is there where it says {prompt}, and follows it after a comma where it does not."""
    prompt, negative = row["prompt"], row["negative_prompt"]
    for name in row["styles"]:
        style = STYLES.get(name, UNKNOWN)
        prompt, negative = styled(prompt, style.prompt), styled(negative, style.negative)
    assert (prompt, negative) == (row["prompt_result"], row["negative_result"])


@pytest.mark.parametrize("row", VECTORS["styles_extract"], ids=lambda row: row["prompt"])
def test_styles_are_found_in_finished_prompts(row: dict[str, Any]) -> None:
    """Which were applied, in their order, and what is left without them."""
    names, prompt, negative = take_styles(row["prompt"], row["negative_prompt"], list(STYLES.values()))
    assert [*names] == row["found"]
    assert (prompt, negative) == (row["prompt_result"], row["negative_result"])
