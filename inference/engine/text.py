"""From windows of tokens to conditioning: CLIP towers, clip skip, emphasis, textual inversion.

Owns the arithmetic of the webui (v1.10.1, modules/sd_hijack_clip.py) for SD1, SD2 and SDXL. Refuses to parse prompts:
it is handed windows of 77 ids with their weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from transformers import CLIPTextModel

from inference.engine.embeddings import Embedding
from inference.engine.families import Family
from inference.engine.tokenizer import END, START

WINDOW = 77


class Chunk(Protocol):
    """A window as the prompt language makes it (`inference.engine.prompt.chunks`): 77 ids with start and end, their weights.

    `fixes` are (offset behind the start token, embedding's name).
    """

    @property
    def tokens(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def multipliers(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def fixes(self) -> tuple[tuple[int, str], ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class EmptyChunk:
    """The window of a text without words."""

    tokens: tuple[int, ...] = (START, *[END] * (WINDOW - 1))
    multipliers: tuple[float, ...] = (1.0,) * WINDOW
    fixes: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TextTower:
    """One loaded text encoder. `padding` fills a window after its first end; `projection` (C, D) gives the pooled vector."""

    model: CLIPTextModel
    padding: int
    projection: Tensor | None = None

    @property
    def width(self) -> int:
        """Channels of its token vectors."""
        return int(self.model.config.hidden_size)


@dataclass(frozen=True, slots=True)
class TextEncoders:
    """The text side of a checkpoint: one tower for SD1, SD2 and SDXL's refiner (G), two for SDXL (L, then G)."""

    family: Family
    towers: tuple[TextTower, ...]


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What the UNet is told: `context` (1, 77*k, C) fp32; `pooled` (1, D) fp32 is SDXL's, None elsewhere."""

    context: Tensor
    pooled: Tensor | None = None


def encode_chunks(
    encoders: TextEncoders,
    chunks: Sequence[Chunk],
    *,
    clip_skip: int = 1,
    emphasis: str = "Original",
    embeddings: Mapping[str, Embedding] | None = None,
) -> Conditioning:
    """Encode one text of k windows. `clip_skip` counts hidden states from the end; SD2 and SDXL ignore it (webui)."""
    return encode_texts(encoders, [chunks], clip_skip=clip_skip, emphasis=emphasis, embeddings=embeddings)[0]


@torch.inference_mode()
def encode_texts(
    encoders: TextEncoders,
    texts: Sequence[Sequence[Chunk]],
    *,
    clip_skip: int = 1,
    emphasis: str = "Original",
    embeddings: Mapping[str, Embedding] | None = None,
    counts: Sequence[int] | None = None,
) -> list[Conditioning]:
    """Encode several texts in one call, as the webui does with the scheduled variants of one prompt.

    It matters which texts share a call: the emphasis "Original" rescales by a mean over all of them, and all get the
    number of windows of the longest (empty windows fill the shorter). `counts` says how often each counts in that mean.
    """
    windows = max(len(text) for text in texts)
    filled: list[list[Chunk]] = [[*text, *[EmptyChunk()] * (windows - len(text))] for text in texts]
    parts: list[Tensor] = []
    pooled: Tensor | None = None
    for index, tower in enumerate(encoders.towers):
        states, vector = _tower_states(
            tower, filled, index=index, family=encoders.family, clip_skip=clip_skip, embeddings=embeddings or {}
        )
        parts.append(_emphasised(states, filled, emphasis, counts))
        pooled = vector if vector is not None else pooled
    context = torch.cat(parts, dim=-1)
    return [
        Conditioning(context[i].flatten(0, 1).unsqueeze(0), None if pooled is None else pooled[i : i + 1])
        for i in range(len(texts))
    ]


def _tower_states(
    tower: TextTower,
    texts: Sequence[Sequence[Chunk]],
    *,
    index: int,
    family: Family,
    clip_skip: int,
    embeddings: Mapping[str, Embedding],
) -> tuple[Tensor, Tensor | None]:
    """Hidden states (texts, windows, 77, C) fp32 before emphasis, and the pooled vectors (texts, D) of the first windows."""
    model = tower.model
    flat = [chunk for text in texts for chunk in text]
    weight = model.embeddings.token_embedding.weight
    ids = torch.tensor([padded(chunk.tokens, tower.padding) for chunk in flat], device=weight.device)
    tokens = _spliced(model.embeddings.token_embedding(ids), flat, index, embeddings)
    hidden = tokens + model.embeddings.position_embedding.weight[: ids.shape[1]]
    layers = len(model.encoder.layers)
    wanted = layers + 1 - min(max(clip_skip if family.skip is None else family.skip, 1), layers)
    last = wanted if tower.projection is None else layers
    mask = torch.full((1, 1, WINDOW, WINDOW), float("-inf"), device=hidden.device, dtype=hidden.dtype).triu(1)
    kept = hidden
    for number, layer in enumerate(model.encoder.layers[:last], start=1):
        hidden = layer(hidden, mask)
        if number == wanted:
            kept = hidden
    states = (model.final_layer_norm(kept) if family.normed else kept).float()
    shaped = states.reshape(len(texts), -1, WINDOW, states.shape[-1])
    if tower.projection is None:
        return shaped, None
    first = torch.arange(0, len(flat), len(flat) // len(texts), device=hidden.device)
    ends = (ids[first] == END).int().argmax(dim=-1)
    pooled = model.final_layer_norm(hidden[first, ends]) @ tower.projection.to(hidden.dtype)
    return shaped, pooled.float()


def padded(tokens: Sequence[int], padding: int) -> list[int]:
    """`tokens` with everything after the first end token replaced by `padding`."""
    if padding == END or END not in tokens:
        return list(tokens)
    end = tokens.index(END) + 1
    return [*tokens[:end], *[padding] * (len(tokens) - end)]


def _spliced(vectors: Tensor, chunks: Sequence[Chunk], tower: int, embeddings: Mapping[str, Embedding]) -> Tensor:
    """Put learned vectors over the placeholders: token embedding rows (N, 77, C), offsets count from after the start token."""
    for row, chunk in enumerate(chunks):
        for offset, name in chunk.fixes:
            if name not in embeddings:
                continue
            learned = embeddings[name].vectors[tower].to(vectors)
            room = vectors[row, offset + 1 : offset + 1 + len(learned)]
            room.copy_(learned[: len(room)])
    return vectors


def _emphasised(
    states: Tensor, texts: Sequence[Sequence[Chunk]], emphasis: str, counts: Sequence[int] | None
) -> Tensor:
    """Weigh token vectors (texts, windows, 77, C); "Original" keeps the mean of each window over all texts."""
    plain = all(weight == 1.0 for text in texts for chunk in text for weight in chunk.multipliers)
    if plain or emphasis in ("Ignore", "None"):
        return states
    weights = torch.tensor([[chunk.multipliers for chunk in text] for text in texts], device=states.device)
    weighed = states * weights.unsqueeze(-1)
    if emphasis == "No norm":
        return weighed
    ratio = _window_means(states, counts) / _window_means(weighed, counts)
    return weighed * torch.where(ratio.isfinite(), ratio, 1.0)  # a mean of nothing leaves nothing to keep


def _window_means(states: Tensor, counts: Sequence[int] | None) -> Tensor:
    """Mean (1, windows, 1, 1) over texts, tokens and channels; text i counts `counts[i]` times."""
    if counts is None or len(set(counts)) == 1:
        return states.mean((0, 2, 3), keepdim=True)
    share = torch.tensor(counts, device=states.device, dtype=states.dtype).view(-1, 1, 1, 1)
    return (states.mean((2, 3), keepdim=True) * share).sum(0, keepdim=True) / share.sum()
