"""Token merging (ToMe for Stable Diffusion; Bolya and Hoffman 2023, arXiv 2303.17604): self-attention over fewer tokens.

Where a UNet works at its latent's own resolution, most of its time goes into self-attention, and neighbours are much alike.
Of each 2 × 2 places one is an anchor; of the other tokens those that are most like an anchor are averaged into it before
attention, and get its answer back in their places afterwards. As in the webui nothing is left to chance, and only
self-attention merges. Owns the method and where it hangs. Refuses to know who asks for which ratio.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor, nn

STRIDE = 2
"""An anchor in so many rows and columns: at most three quarters of all tokens can go."""
_AT_ONCE = 1 << 25
"""Likenesses that are worked out together: at 2048² all of them would be 800 million a row."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which of N tokens go where. Numbers of places: of `anchors` (A,), of what stays alone `kept` (B, K, 1), of what goes

    `gone` (B, R, 1), and `into` which of the anchors (B, R, 1). N = A + K + R.
    """

    anchors: Tensor
    kept: Tensor
    gone: Tensor
    into: Tensor

    def merge(self, x: Tensor) -> Tensor:
        """Tokens (B, N, C) to (B, K + A, C): those that stay alone, then anchors, each the mean of itself and its own."""
        width = x.shape[-1]
        alone, gone = (x.gather(1, places.expand(-1, -1, width)) for places in (self.kept, self.gone))
        into = self.into.expand(-1, -1, width)
        anchors = x.index_select(1, self.anchors).scatter_reduce(1, into, gone, reduce="mean")
        return torch.cat((alone, anchors), dim=1)

    def unmerge(self, y: Tensor) -> Tensor:
        """Answers (B, K + A, C) to (B, N, C): each in the places of all tokens that it stands for."""
        width, alone = y.shape[-1], self.kept.shape[1]
        anchors = y[:, alone:]
        whole = y.new_empty(len(y), alone + anchors.shape[1] + self.gone.shape[1], width)
        whole[:, self.anchors] = anchors
        whole.scatter_(1, self.kept.expand(-1, -1, width), y[:, :alone])
        answers = anchors.gather(1, self.into.expand(-1, -1, width))
        return whole.scatter_(1, self.gone.expand(-1, -1, width), answers)


def plan(x: Tensor, size: tuple[int, int], ratio: float) -> Plan | None:
    """Who of tokens (B, N, C), which lie on a `size` (rows, columns), merges so that N · `ratio` of them go.

    None where none can go. Likeness is the cosine of the angle between two tokens (the paper's section 3.1).
    """
    anchors, others = (part.to(x.device) for part in _places(*size))
    go = min(len(others), int(x.shape[1] * ratio))
    if go <= 0 or not len(anchors):
        return None
    likeness, nearest = _nearest(x / x.norm(dim=-1, keepdim=True), anchors, others)
    order = likeness.argsort(dim=-1, descending=True, stable=True)
    goes, stays = order[:, :go], order[:, go:]
    return Plan(
        anchors=anchors,
        kept=others[stays][..., None],
        gone=others[goes][..., None],
        into=nearest.gather(1, goes)[..., None],
    )


@lru_cache(maxsize=16)
def _places(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Numbers of the places of anchors, the upper left of each whole square, and of all others, both in order."""
    board = torch.zeros(rows, columns, dtype=torch.bool)
    board[: rows // STRIDE * STRIDE : STRIDE, : columns // STRIDE * STRIDE : STRIDE] = True
    flat = board.flatten()
    return flat.nonzero()[:, 0], (~flat).nonzero()[:, 0]


def _nearest(directions: Tensor, anchors: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """For each of `others` how like it is to its most alike anchor, and which that is; both (B, others)."""
    to = directions.index_select(1, anchors).transpose(1, 2)
    some = max(1, _AT_ONCE // (len(directions) * len(anchors)))
    found = [(directions.index_select(1, part) @ to).max(dim=-1) for part in others.split(some)]
    return torch.cat([value for value, _ in found], 1), torch.cat([number for _, number in found], 1)


def merge_tokens(unet: Any, *, ratio: float) -> None:
    """Let `unet` merge `ratio` (0 to 1) of its tokens from now on; 0 takes everything off again. Cheap where nothing changes."""
    if getattr(unet, "merged_ratio", 0.0) == ratio:
        return
    for handle in getattr(unet, "merging_handles", ()):
        handle.remove()
    unet.merging_handles = _hang(unet, ratio) if ratio > 0 else ()
    unet.merged_ratio = ratio


class _Hooks:
    """What hangs on one transformer block: it notes who merges when the block begins, and its self-attention follows."""

    def __init__(self, canvas: list[tuple[int, int]], ratio: float) -> None:
        self._canvas, self._ratio = canvas, ratio
        self._plan: Plan | None = None

    def begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before the block: its tokens decide, where they are as many as the latent's places."""
        x = args[0] if args else kwargs["hidden_states"]
        size = self._canvas[0]
        self._plan = plan(x, size, self._ratio) if x.shape[1] == math.prod(size) else None

    def before(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Before self-attention."""
        return None if self._plan is None else (self._plan.merge(args[0]), *args[1:])

    def after(self, _: nn.Module, __: tuple[Any, ...], answer: Tensor) -> Tensor:
        """After it; the block's end needs the plan no more."""
        chosen, self._plan = self._plan, None
        return answer if chosen is None else chosen.unmerge(answer)


def _hang(unet: nn.Module, ratio: float) -> tuple[Any, ...]:
    """The handles that take it off again."""
    canvas: list[tuple[int, int]] = [(0, 0)]

    def note(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        sample = args[0] if args else kwargs["sample"]
        canvas[0] = tuple(sample.shape[-2:])

    handles: list[Any] = [unet.register_forward_pre_hook(note, with_kwargs=True)]
    for block in blocks(unet):
        hooks = _Hooks(canvas, ratio)
        handles += [
            block.register_forward_pre_hook(hooks.begin, with_kwargs=True),
            block.attn1.register_forward_pre_hook(hooks.before),
            block.attn1.register_forward_hook(hooks.after),
        ]
    return tuple(handles)


def blocks(unet: nn.Module) -> Iterator[BasicTransformerBlock]:
    """Every transformer block with a self-attention."""
    for module in unet.modules():
        if isinstance(module, BasicTransformerBlock) and not module.only_cross_attention:
            yield module
