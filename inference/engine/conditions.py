"""From a request's two texts to the guidance of its pictures: plan, tokenise, encode each distinct part once.

Owns how AND parts, schedules and SDXL's vectors meet (webui v1.10.1). The prompt language itself is `inference.engine.prompt`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from inference.api.catalog import SAMPLERS
from inference.api.request import GenerationRequest
from inference.engine.embeddings import Embedding
from inference.engine.guidance import Conditions, Guide, repeat_last
from inference.engine.lexicon import Words
from inference.engine.networks.merge import AdapterSet
from inference.engine.prompt.plan import plan_prompt
from inference.engine.text import encode_chunks
from inference.engine.tokenizer import tokenizer

_ORDER = {row.id: row.order for row in SAMPLERS}


class Encoder:
    """Encodes the parts of one request with one checkpoint; remembers what it has encoded."""

    def __init__(
        self,
        request: GenerationRequest,
        checkpoint: Any,
        *,
        dtype: torch.dtype,
        device: torch.device,
        adapters: AdapterSet = (),
        words: Mapping[str, Embedding] | None = None,
    ) -> None:
        self._request, self._checkpoint, self._dtype, self._device = request, checkpoint, dtype, device
        self._adapters, self._words = adapters, words or {}
        self._known: dict[Any, Conditions] = {}
        self._groups: dict[Any, tuple[tuple[float, Conditions], ...]] = {}
        height, width = request.canvas.height, request.canvas.width
        self._sizes = torch.tensor([[height, width, 0, 0, height, width]], device=device, dtype=dtype)

    def part(self, chunks: Any) -> Conditions:
        """One text, as chunks, under the request's clip skip and emphasis."""
        if chunks not in self._known:
            prompt = self._request.prompt
            self._checkpoint.wardrobe.wear(self._adapters)  # parts are encoded when first asked for: others ran since
            encoded = encode_chunks(
                self._checkpoint.text,
                chunks,
                clip_skip=prompt.clip_skip,
                emphasis=prompt.emphasis,
                embeddings=self._words,
            )
            self._known[chunks] = self._placed(encoded.context, encoded.pooled)
        return self._known[chunks]

    def group(self, parts: Sequence[tuple[float, Any]]) -> tuple[tuple[float, Conditions], ...]:
        """AND parts with their weights, the shorter ones lengthened to the longest."""
        key = tuple(parts)
        if key not in self._groups:
            encoded = [(weight, self.part(chunks)) for weight, chunks in parts]
            length = max(conditions.context.shape[1] for _, conditions in encoded)
            self._groups[key] = tuple(
                (weight, conditions)
                if conditions.context.shape[1] == length
                else (weight, Conditions(repeat_last(conditions.context, length), conditions.pooled, conditions.sizes))
                for weight, conditions in encoded
            )
        return self._groups[key]

    def blank(self, chunks: Any) -> Conditions:
        """What SDXL takes for an empty negative prompt: zeros in place of what `chunks` would give (webui)."""
        key = ("blank", chunks)
        if key not in self._known:
            like = self.part(chunks)
            pooled = None if like.pooled is None else torch.zeros_like(like.pooled)
            self._known[key] = Conditions(torch.zeros_like(like.context), pooled, like.sizes)
        return self._known[key]

    def _placed(self, context: Tensor, pooled: Tensor | None) -> Conditions:
        placed = context.to(self._device, self._dtype)
        if pooled is None:
            return Conditions(placed)
        return Conditions(placed, pooled.to(self._device, self._dtype), self._sizes)


def encode_prompt(
    request: GenerationRequest,
    checkpoint: Any,
    *,
    text: str,
    dtype: torch.dtype,
    device: torch.device,
    adapters: AdapterSet = (),
    words: Words | None = None,
) -> Guide:
    """The guidance of `request`'s pictures. `text` is its prompt without network tags; `adapters` are those they asked for.

    `words` are the learned words that may be used in both prompts.
    """
    vectors, by_tokens = (words.vectors, words.by_tokens) if words is not None else ({}, {})
    encoder = Encoder(request, checkpoint, dtype=dtype, device=device, adapters=adapters, words=vectors)
    prompt = request.prompt
    calls = request.sampling.steps * _ORDER[request.sampling.sampler]
    language: Any = {"tokenize": tokenizer().encode, "emphasis": prompt.emphasis, "embeddings_by_tokens": by_tokens}
    positive = plan_prompt(text, calls=calls, **language)
    negative = plan_prompt(prompt.negative, calls=calls, composable=False, **language)
    blank = not prompt.negative.strip() and checkpoint.family.id == "sdxl"

    def unconditional(call: int) -> Conditions:
        ((_, chunks),) = negative.at(call)
        return encoder.blank(chunks) if blank else encoder.part(chunks)

    return Guide(
        settings=request.guidance,
        calls=calls,
        positive=lambda call: encoder.group(positive.at(call)),
        negative=unconditional,
    )
