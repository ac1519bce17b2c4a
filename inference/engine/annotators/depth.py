"""Depth: how far away things are, by MiDaS (Ranftl et al. 2021) or any depth network in transformers' form; near is white.

Owns the names of `dpt_hybrid-midas-501f0c75.pt`, the sizes at which networks look, and the maps that are made of depth: grey,
and normals by its slopes.
"""

import math
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.engine.annotators.annotation import Chosen, Pixels, Traced, tensor_of
from inference.engine.bad_file import BadFile
from inference.engine.weights import WeightsFile
from inference.engine.work import Apply

PIXEL_COST = 0.3 / 64
"""Latent pixels through the UNet that a pixel costs, by operations."""
_STEEPNESS = 2 * math.pi
"""How far a normal looks towards us beside slopes of depth (the extension's number)."""
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, by which folders of transformers are trained where they say nothing else."""
_VIT_EPSILON = 1e-6


class DepthNetwork(nn.Module):
    """A depth network of transformers. `block` is what sides must be a multiple of; `mean` and `spread` are for RGB of 0 to 1."""

    mean: Tensor
    spread: Tensor

    def __init__(
        self, model: Any, *, block: int, mean: Sequence[float] = MEAN, spread: Sequence[float] = SPREAD
    ) -> None:
        super().__init__()
        self.model, self.block = model, block
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(spread).view(1, -1, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) RGB, 0 to 255, to (N, 1, H, W) of no certain range: the nearer, the larger."""
        x = (pixels / 255 - self.mean) / self.spread
        sides = [max(self.block, round(side / self.block) * self.block) for side in x.shape[-2:]]
        if list(x.shape[-2:]) != sides:
            x = F.interpolate(x, sides, mode="bicubic", antialias=True)
        depth = _dpt_depth(self.model, x) if hasattr(self.model, "dpt") else self.model(x).predicted_depth
        return F.interpolate(depth[:, None], pixels.shape[-2:], mode="bicubic")


def _dpt_depth(model: Any, x: Tensor) -> Tensor:
    """DPT's depth (N, H, W) at any size: its own code asks for the square that it was trained with."""
    sides = x.shape[-2:]
    embeddings = model.dpt.embeddings
    for part in (embeddings, getattr(embeddings, "patch_embeddings", embeddings)):
        part.image_size = tuple(sides)
    seen = model.dpt(x, output_hidden_states=True)
    wanted = model.config.backbone_out_indices
    if model.config.is_hybrid:
        hidden = [*seen.intermediate_activations]
        hidden += [state for place, state in enumerate(seen.hidden_states[1:]) if place in wanted[2:]]
    else:
        hidden = [state for place, state in enumerate(seen.hidden_states[1:]) if place in wanted]
    patch = model.config.patch_size
    return model.head(model.neck(hidden, sides[0] // patch, sides[1] // patch))


def depth_map(pixels: Pixels, _: Chosen, network: nn.Module) -> Generator[Apply, Any, Traced]:
    """Grey: the nearest place white, the farthest black."""
    near = _spread_out((yield from _depth(pixels, network)))
    return Traced((near * 255).clip(0, 255).astype(np.uint8))


def normal_map(pixels: Pixels, chosen: Chosen, network: nn.Module) -> Generator[Apply, Any, Traced]:
    """Where surfaces face, from the slopes of depth; farther away than `a` all faces us. Blue, green, red in RGB's place."""
    depth = yield from _depth(pixels, network)
    slopes = [cv2.Sobel(depth, cv2.CV_32F, *way, ksize=3) for way in ((1, 0), (0, 1))]
    far = _spread_out(depth) < chosen.a
    normal = np.stack([*(np.where(far, 0, slope) for slope in slopes), np.full_like(depth, _STEEPNESS)], axis=2)
    normal /= np.sqrt((normal**2).sum(axis=2, keepdims=True))
    levels = (normal * 127.5 + 127.5).clip(0, 255).astype(np.uint8)
    return Traced(np.ascontiguousarray(levels[:, :, ::-1]))


def _depth(pixels: Pixels, network: nn.Module) -> Generator[Apply, Any, np.ndarray]:
    height, width = pixels.shape[:2]
    answer: Tensor = yield Apply(network, (tensor_of(pixels),), cost=PIXEL_COST * height * width)
    return answer[0, 0].float().cpu().numpy()


def _spread_out(depth: np.ndarray) -> np.ndarray:
    """`depth` from 0 to 1; all 0 where it is the same everywhere."""
    above = depth - depth.min()
    return above / max(float(above.max()), 1e-12)


def load_midas(path: Path) -> DepthNetwork:
    """Read MiDaS's DPT-Hybrid from `path`. Raises BadFile, OSError."""
    from transformers import DPTConfig, DPTForDepthEstimation

    config = DPTConfig(
        is_hybrid=True,
        neck_hidden_sizes=[256, 512, 768, 768],
        reassemble_factors=[1, 1, 1, 0.5],
        layer_norm_eps=_VIT_EPSILON,
        use_auxiliary_head=False,
    )
    with torch.device("meta"):
        model = DPTForDepthEstimation(config)
    with WeightsFile(path) as file:
        weights = {name: tensor for key in file for name, tensor in _renamed(key, file)}
    try:
        missing = set(model.load_state_dict(weights, strict=False, assign=True).missing_keys)
    except RuntimeError as error:
        raise BadFile("is no MiDaS (DPT-Hybrid): the shapes of its weights are others.") from error
    if missing:
        raise BadFile(f"is no whole MiDaS (DPT-Hybrid): it lacks {', '.join(sorted(missing))[:120]}.")
    return DepthNetwork(model.float(), block=32, mean=(0.5, 0.5, 0.5), spread=(0.5, 0.5, 0.5))


_RENAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (
            r"^pretrained\.model\.patch_embed\.backbone\.stem\.conv\.",
            "dpt.embeddings.backbone.bit.embedder.convolution.",
        ),
        (r"^pretrained\.model\.patch_embed\.backbone\.stem\.norm\.", "dpt.embeddings.backbone.bit.embedder.norm."),
        (r"^pretrained\.model\.patch_embed\.backbone\.stages\.", "dpt.embeddings.backbone.bit.encoder.stages."),
        (r"(backbone\.bit\.encoder\.stages\.\d+)\.blocks\.", r"\1.layers."),
        (r"^pretrained\.model\.patch_embed\.proj\.", "dpt.embeddings.projection."),
        (r"^pretrained\.model\.pos_embed$", "dpt.embeddings.position_embeddings"),
        (r"^pretrained\.model\.cls_token$", "dpt.embeddings.cls_token"),
        (r"^pretrained\.model\.norm\.", "dpt.layernorm."),
        (r"^pretrained\.model\.blocks\.(\d+)\.norm1\.", r"dpt.encoder.layer.\1.layernorm_before."),
        (r"^pretrained\.model\.blocks\.(\d+)\.norm2\.", r"dpt.encoder.layer.\1.layernorm_after."),
        (r"^pretrained\.model\.blocks\.(\d+)\.attn\.qkv\.", r"dpt.encoder.layer.\1.attention.attention.*."),
        (r"^pretrained\.model\.blocks\.(\d+)\.attn\.proj\.", r"dpt.encoder.layer.\1.attention.output.dense."),
        (r"^pretrained\.model\.blocks\.(\d+)\.mlp\.fc1\.", r"dpt.encoder.layer.\1.intermediate.dense."),
        (r"^pretrained\.model\.blocks\.(\d+)\.mlp\.fc2\.", r"dpt.encoder.layer.\1.output.dense."),
        (r"^pretrained\.act_postprocess3\.0\.project\.0\.", "neck.reassemble_stage.readout_projects.2.0."),
        (r"^pretrained\.act_postprocess4\.0\.project\.0\.", "neck.reassemble_stage.readout_projects.3.0."),
        (r"^pretrained\.act_postprocess3\.3\.", "neck.reassemble_stage.layers.2.projection."),
        (r"^pretrained\.act_postprocess4\.3\.", "neck.reassemble_stage.layers.3.projection."),
        (r"^pretrained\.act_postprocess4\.4\.", "neck.reassemble_stage.layers.3.resize."),
        (r"^scratch\.layer1_rn\.", "neck.convs.0."),
        (r"^scratch\.layer2_rn\.", "neck.convs.1."),
        (r"^scratch\.layer3_rn\.", "neck.convs.2."),
        (r"^scratch\.layer4_rn\.", "neck.convs.3."),
        (r"^scratch\.refinenet1\.", "neck.fusion_stage.layers.3."),
        (r"^scratch\.refinenet2\.", "neck.fusion_stage.layers.2."),
        (r"^scratch\.refinenet3\.", "neck.fusion_stage.layers.1."),
        (r"^scratch\.refinenet4\.", "neck.fusion_stage.layers.0."),
        (r"\.out_conv\.", ".projection."),
        (r"\.resConfUnit([12])\.conv([12])\.", r".residual_layer\1.convolution\2."),
        (r"^scratch\.output_conv\.", "head.head."),
    )
)
"""What MiDaS calls its weights, and what transformers does; applied one after the other."""
_UNUSED = ("pretrained.model.head.", "auxlayer.")


def _renamed(key: str, file: WeightsFile) -> Iterator[tuple[str, Tensor]]:
    if key.startswith(_UNUSED):
        return
    name = key
    for pattern, new in _RENAMES:
        name = pattern.sub(new, name)
    tensor = file.read(key).float()
    if "*" not in name:
        yield name, tensor
        return
    for part, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
        yield name.replace("*", part), third


def preprocessing_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Mean and spread that a folder's `preprocessor_config.json` asks for; ImageNet's where it says nothing."""
    mean, spread = settings.get("image_mean", MEAN), settings.get("image_std", SPREAD)
    fits = all(isinstance(three, list | tuple) and len(three) == 3 for three in (mean, spread))
    return {"mean": tuple(mean), "spread": tuple(spread)} if fits else {}
