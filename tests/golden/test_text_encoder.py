"""Conditioning against the webui's own: a random CLIP tower, its weights and the results in `text_encoder.*`."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from inference.engine.embeddings import Embedding
from inference.engine.families import FAMILIES
from inference.engine.text import TextEncoders, TextTower, encode_chunks, encode_texts
from inference.engine.tokenizer import END, tokenizer

FOLDER = Path(os.environ.get("EASEL_GOLDEN", Path(__file__).parent / "vectors"))
VECTORS: dict[str, Any] = json.loads((FOLDER / "text_encoder.json").read_text(encoding="utf-8"))
CASES = [case for case in VECTORS["cases"] if "chunks" in case]
TOLERANCE = {"Original": 5e-4}


@dataclass(frozen=True)
class Window:
    """One window of the vectors."""

    tokens: tuple[int, ...]
    multipliers: tuple[float, ...]
    fixes: tuple[tuple[int, str], ...] = ()


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    """The arrays of the vectors."""
    return load_file(FOLDER / "text_encoder.safetensors")


@pytest.fixture(scope="module")
def encoders(tensors: dict[str, Tensor]) -> TextEncoders:
    """The tower of the vectors, as an SD1 text encoder."""
    model = CLIPTextModel(CLIPTextConfig(**VECTORS["config"])).eval().requires_grad_(False)
    prefix = "model.text_model."
    state = {key.removeprefix(prefix): value.float() for key, value in tensors.items() if key.startswith(prefix)}
    rows = torch.zeros(VECTORS["config"]["vocab_size"], VECTORS["config"]["hidden_size"])
    rows[tensors["token_embedding_ids"]] = tensors["token_embedding_rows"].float()
    model.load_state_dict(state | {"embeddings.token_embedding.weight": rows})
    return TextEncoders(FAMILIES["sd1"], (TextTower(model, END),))


@pytest.fixture(scope="module")
def embeddings(tensors: dict[str, Tensor]) -> dict[str, Embedding]:
    """The learned words of the vectors."""
    return {name: Embedding(name, (tensors[entry["key"]].float(),)) for name, entry in VECTORS["embeddings"].items()}


def windows_of(case: dict[str, Any]) -> list[Window]:
    """The windows of a case."""
    return [
        Window(tuple(chunk["tokens"]), tuple(chunk["multipliers"]), tuple((at, name) for at, name in chunk["fixes"]))
        for chunk in case["chunks"]
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["key"] for case in CASES])
def test_conditioning(
    case: dict[str, Any], encoders: TextEncoders, embeddings: dict[str, Embedding], tensors: dict[str, Tensor]
) -> None:
    """Clip skip, emphasis and learned words give the webui's conditioning."""
    result = encode_chunks(
        encoders, windows_of(case), clip_skip=case["clip_skip"], emphasis=case["emphasis"], embeddings=embeddings
    )
    torch.testing.assert_close(
        result.context[0], tensors[case["key"]], rtol=0, atol=TOLERANCE.get(case["emphasis"], 2e-5)
    )


def test_texts_of_one_call_share_their_mean(encoders: TextEncoders, tensors: dict[str, Tensor]) -> None:
    """Two texts in one call keep a common mean, and the shorter is filled with empty windows."""
    (batch,) = [case for case in VECTORS["cases"] if case["key"] == "cond_batch"]
    by_prompt = {
        tuple(case["prompts"]): case for case in CASES if (case["emphasis"], case["clip_skip"]) == ("Original", 1)
    }
    texts = [windows_of(by_prompt[prompt,]) for prompt in batch["prompts"]]
    results = encode_texts(encoders, texts, clip_skip=batch["clip_skip"], emphasis=batch["emphasis"])
    assert len({len(text) for text in texts}) > 1
    torch.testing.assert_close(torch.cat([part.context for part in results]), tensors["cond_batch"], rtol=0, atol=5e-4)


def test_names_of_learned_words_have_the_webuis_ids() -> None:
    """The tokenizer gives the ids by which learned words are matched."""
    for name, entry in VECTORS["embeddings"].items():
        assert tokenizer().encode(name) == entry["name_token_ids"]
