"""From a request's two texts to the guidance of its pictures: plan, tokenise, encode what is said when it is first said.

Owns how AND parts, schedules, unequal lengths and SDXL's vectors meet (webui v1.10.1). The prompt language itself is
`inference.engine.prompt`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from inference.api.catalog import SAMPLERS
from inference.api.request import GenerationRequest, Guidance
from inference.engine.embeddings import Embedding
from inference.engine.guidance import Conditions, Guide, repeat_last
from inference.engine.lexicon import Words
from inference.engine.networks.merge import AdapterSet
from inference.engine.prompt.chunks import Chunk, cut
from inference.engine.prompt.comments import strip_comments
from inference.engine.prompt.plan import Part, PromptPlan, plan_prompt
from inference.engine.prompt.schedule import Stage, at_call
from inference.engine.text import encode_texts
from inference.engine.tokenizer import tokenizer

_ORDER = {row.id: row.order for row in SAMPLERS}
Windows = tuple[Chunk, ...]
Stages = tuple[Stage, ...]


class Encoder:
    """Encodes the texts of one pass of a request with one checkpoint; remembers what it has encoded.

    `size` (width, height) is the pass's, which SDXL is told, as height and width before any scaling, the corner where a
    crop began, and height and width of the goal; its refiner is told an aesthetic score in place of the goal.
    """

    def __init__(
        self,
        request: GenerationRequest,
        checkpoint: Any,
        *,
        dtype: torch.dtype,
        device: torch.device,
        size: tuple[int, int],
        adapters: AdapterSet = (),
        words: Mapping[str, Embedding] | None = None,
    ) -> None:
        self._request, self._checkpoint, self._dtype, self._device = request, checkpoint, dtype, device
        self._adapters, self._words = adapters, words or {}
        self._said: dict[tuple[Stages, bool], dict[Windows, Conditions]] = {}  # parts that say the same share it
        self._now: dict[tuple[Stages, bool, str], Conditions] = {}
        self._lengthened: dict[Any, Conditions] = {}
        self._empty: Conditions | None = None
        width, height = size
        scores = checkpoint.family.scores
        goals = ((height, width),) * 2 if scores is None else tuple((score,) for score in scores)
        self._sizes = tuple(torch.tensor([[height, width, 0, 0, *goal]], device=device, dtype=dtype) for goal in goals)

    def say(self, plan: PromptPlan, part: Part, call: int, *, unwanted: bool = False) -> Conditions:
        """What `part` says at `call`. All that it says in its course is encoded in one go: it shares one emphasis mean.

        It is something `unwanted` in a negative prompt.
        """
        course, text = (part.stages, unwanted), at_call(part.stages, call)
        if (*course, text) not in self._now:
            if course not in self._said:
                self._said[course] = self._encode(plan.variants(part), unwanted=unwanted)
            self._now[*course, text] = self._said[course][plan.windows[text]]
        return self._now[*course, text]

    def group(self, plan: PromptPlan, call: int) -> tuple[tuple[float, Conditions], ...]:
        """AND parts with their weights at `call`, the shorter ones lengthened to the longest."""
        said = [(part.weight, self.say(plan, part, call)) for part in plan.parts]
        length = max(conditions.context.shape[1] for _, conditions in said)
        return tuple((weight, self.lengthen(conditions, length)) for weight, conditions in said)

    def empty(self) -> Conditions:
        """An empty text."""
        if self._empty is None:
            (self._empty,) = self._encode({cut("", tokenize=tokenizer().encode): 1}).values()
        return self._empty

    def blank(self, like: Conditions) -> Conditions:
        """Zeros in place of `like`: what SDXL takes for an empty negative prompt (webui)."""
        key = ("blank", id(like))
        if key not in self._lengthened:
            pooled = None if like.pooled is None else torch.zeros_like(like.pooled)
            self._lengthened[key] = Conditions(torch.zeros_like(like.context), pooled, like.sizes)
        return self._lengthened[key]

    def lengthen(self, conditions: Conditions, length: int, *, end: Tensor | None = None) -> Conditions:
        """`conditions` with a context of `length` tokens: repetitions of `end` (1, 77, C), or of its last vector, follow it.

        A longer one is cut off. Equal arguments give the same object, so that a batch is not copied at each step.
        """
        context = conditions.context
        if context.shape[1] == length:
            return conditions
        key = (id(conditions), length, end is None)
        if key not in self._lengthened:
            missing = length - context.shape[1]
            if missing < 0:
                context = context[:, :length]
            elif end is None:
                context = repeat_last(context, length)
            else:
                context = torch.cat((context, *[end] * (missing // end.shape[1])), dim=1)
            self._lengthened[key] = Conditions(context, conditions.pooled, conditions.sizes)
        return self._lengthened[key]

    def _encode(self, variants: Mapping[Windows, int], *, unwanted: bool = False) -> dict[Windows, Conditions]:
        prompt = self._request.prompt
        self._checkpoint.wardrobe.wear(self._adapters)  # texts are encoded when first asked for: others ran since
        encoded = encode_texts(
            self._checkpoint.text,
            list(variants),
            clip_skip=prompt.clip_skip,
            emphasis=prompt.emphasis,
            embeddings=self._words,
            counts=list(variants.values()),
        )
        return {
            windows: self._placed(result.context, result.pooled, self._sizes[unwanted])
            for windows, result in zip(variants, encoded, strict=True)
        }

    def _placed(self, context: Tensor, pooled: Tensor | None, sizes: Tensor) -> Conditions:
        placed = context.to(self._device, self._dtype)
        if pooled is None:
            return Conditions(placed)
        return Conditions(placed, pooled.to(self._device, self._dtype), sizes)


def encode_prompt(
    request: GenerationRequest,
    checkpoint: Any,
    *,
    text: str,
    dtype: torch.dtype,
    device: torch.device,
    adapters: AdapterSet = (),
    words: Words | None = None,
    negative: str | None = None,
    calls: int | None = None,
    before: int | None = None,
    size: tuple[int, int] | None = None,
    guidance: Guidance | None = None,
) -> Guide:
    """The guidance of one pass of `request`'s pictures.

    `text` is its prompt without network tags; `adapters` are those they asked for; `words` are the learned words that may be
    used in both prompts. What is left out is the first pass's. For a second pass: its `negative`, its model `calls` and those
    `before` it, its `size` (width, height) and its `guidance`.
    """
    vectors, by_tokens = (words.vectors, words.by_tokens) if words is not None else ({}, {})
    prompt, canvas = request.prompt, request.canvas
    encoder = Encoder(
        request,
        checkpoint,
        dtype=dtype,
        device=device,
        size=size or (canvas.width, canvas.height),
        adapters=adapters,
        words=vectors,
    )
    if calls is None:
        calls = request.sampling.steps * _ORDER[request.sampling.sampler]
    language: Any = {
        "calls": calls,
        "before": before,
        "old_timelines": prompt.old_timelines,
        "tokenize": tokenizer().encode,
        "emphasis": prompt.emphasis,
        "embeddings_by_tokens": by_tokens,
    }
    unwanted = strip_comments(prompt.negative if negative is None else negative)
    return Guide(
        settings=guidance or request.guidance,
        calls=calls,
        **_sides(
            encoder,
            plan_prompt(strip_comments(text), **language),
            plan_prompt(unwanted, composable=False, **language),
            pad=prompt.pad_conds,
            blank=not unwanted.strip() and checkpoint.family.xl,
        ),
    )


def _sides(encoder: Encoder, wanted: PromptPlan, unwanted: PromptPlan, *, pad: str, blank: bool) -> dict[str, Any]:
    """`positive` and `negative` of a Guide. `pad` says what happens to unequal lengths: nothing, "empty" or "v0" (webui)."""

    def positive(call: int) -> Sequence[tuple[float, Conditions]]:
        said = encoder.group(wanted, call)
        if pad != "empty":
            return said
        length = max(
            said[0][1].context.shape[1], encoder.say(unwanted, unwanted.parts[0], call, unwanted=True).context.shape[1]
        )
        end = encoder.empty().context
        return tuple((weight, encoder.lengthen(conditions, length, end=end)) for weight, conditions in said)

    def negative(call: int) -> Conditions:
        said = encoder.say(unwanted, unwanted.parts[0], call, unwanted=True)
        said = encoder.blank(said) if blank else said
        if not pad:
            return said
        length = encoder.group(wanted, call)[0][1].context.shape[1]
        if pad == "v0":
            return encoder.lengthen(said, length)
        return encoder.lengthen(said, max(length, said.context.shape[1]), end=encoder.empty().context)

    return {"positive": positive, "negative": negative}
