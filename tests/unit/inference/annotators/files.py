"""Networks of preprocessors as files: random weights of the true shapes under the names that the real files have.

Names and shapes are written out here by themselves, not asked of Easel's own modules.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


def weights(shapes: Mapping[str, tuple[int, ...]], *, seed: int = 0) -> dict[str, Tensor]:
    """Random weights that keep activations of about one size; norms near one, variances positive, last layers faint."""
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        fan = max(1, torch.Size(shape[1:]).numel())
        value = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
        if len(shape) == 1 and name.endswith(("weight", "running_var")):
            value = 1 + 0.1 * value.abs()
        value = value / 100 if name.startswith("classifier") else value
        found[name] = value * 0.1 if len(shape) == 1 and not name.endswith(("weight", "running_var")) else value
    return found


def write(path: Path, tensors: Mapping[str, Any], *, zipped: bool = True) -> Path:
    """A file of `tensors`, by its ending a pickle of torch's (of the old kind where it is not `zipped`) or safetensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    else:
        torch.save(dict(tensors), path, _use_new_zipfile_serialization=zipped)
    return path


def conv(name: str, before: int, after: int, kernel: int, *, bias: bool = True) -> Shapes:
    """Weight and bias of a convolution."""
    return {f"{name}.weight": (after, before, kernel, kernel)} | ({f"{name}.bias": (after,)} if bias else {})


def norm(name: str, channels: int) -> Shapes:
    """A batch norm of torch's, its counter left out."""
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}


def hed_shapes() -> Shapes:
    """`ControlNetHED.pth`."""
    found: Shapes = {"norm": (1, 3, 1, 1)}
    before = 3
    for block, (width, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for number in range(depth):
            found |= conv(f"block{block}.convs.{number}", before, width, 3)
            before = width
        found |= conv(f"block{block}.projection", width, 1, 1)
    return found


def openpose_shapes() -> Shapes:
    """`body_pose_model.pth`."""
    found: Shapes = {}
    names = ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1", "4_2", "4_3_CPM", "4_4_CPM")
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 256, 128)
    for name, (before, after) in zip(names, pairwise(widths), strict=True):
        found |= conv(f"conv{name}", before, after, 3)
    for branch, out in (("L1", 38), ("L2", 19)):
        for number, (before, after, kernel) in enumerate(
            ((128, 128, 3), (128, 128, 3), (128, 128, 3), (128, 512, 1), (512, out, 1)), start=1
        ):
            found |= conv(f"conv5_{number}_CPM_{branch}", before, after, kernel)
        for stage in range(2, 7):
            layers = [(185, 128, 7), *[(128, 128, 7)] * 4, (128, 128, 1), (128, out, 1)]
            for number, (before, after, kernel) in enumerate(layers, start=1):
                found |= conv(f"Mconv{number}_stage{stage}_{branch}", before, after, kernel)
    return found


def pidinet_shapes() -> Shapes:
    """`table5_pidinet.pth`, without the `module.` that its names begin with."""
    found: Shapes = {"init_block.weight": (60, 3, 3, 3)}
    before = 60
    for scale, width in enumerate((60, 120, 240, 240), start=1):
        for number in range(1, 4 if scale == 1 else 5):
            name = f"block{scale}_{number}"
            if number == 1 and scale > 1:
                found |= conv(f"{name}.shortcut", before, width, 1)
            found[f"{name}.conv1.weight"] = (before, 1, 3, 3)
            found[f"{name}.conv2.weight"] = (width, before, 1, 1)
            before = width
        place = scale - 1
        found |= conv(f"dilations.{place}.conv1", width, 24, 1)
        for number in range(1, 5):
            found |= conv(f"dilations.{place}.conv2_{number}", 24, 24, 3, bias=False)
        found |= conv(f"attentions.{place}.conv1", 24, 4, 1) | conv(f"attentions.{place}.conv2", 4, 1, 3, bias=False)
        found |= conv(f"conv_reduces.{place}.conv", 24, 1, 1)
    return found | conv("classifier", 4, 1, 1)


def mlsd_shapes() -> Shapes:
    """`mlsd_large_512_fp32.pth`."""
    found = conv("backbone.features.0.0", 4, 32, 3, bias=False) | norm("backbone.features.0.1", 32)
    before = 32
    widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96]
    for number, after in enumerate(widths, start=1):
        name, inner = f"backbone.features.{number}.conv", before * (1 if number == 1 else 6)
        place = 0
        if number > 1:
            found |= conv(f"{name}.0.0", before, inner, 1, bias=False) | norm(f"{name}.0.1", inner)
            place = 1
        found[f"{name}.{place}.0.weight"] = (inner, 1, 3, 3)
        found |= norm(f"{name}.{place}.1", inner)
        found |= conv(f"{name}.{place + 1}", inner, after, 1, bias=False) | norm(f"{name}.{place + 2}", after)
        before = after
    for block, (fine, coarse) in zip((15, 17, 19, 21), ((64, 96), (32, 64), (24, 64), (16, 64)), strict=True):
        for name, (one, other, kernel) in {
            f"block{block}.conv1": (coarse, 64, 1),
            f"block{block}.conv2": (fine, 64, 1),
            f"block{block + 1}.conv1": (128, 128, 3),
            f"block{block + 1}.conv2": (128, 64, 3),
        }.items():
            found |= conv(f"{name}.0", one, other, kernel) | norm(f"{name}.1", other)
    for number in (1, 2):
        found |= conv(f"block23.conv{number}.0", 64, 64, 3) | norm(f"block23.conv{number}.1", 64)
    return found | conv("block23.conv3", 64, 16, 1)


def midas_shapes() -> Shapes:
    """`dpt_hybrid-midas-501f0c75.pt`."""
    model = "pretrained.model"
    trunk = f"{model}.patch_embed.backbone"
    found = conv(f"{trunk}.stem.conv", 3, 64, 7, bias=False) | _affine(f"{trunk}.stem.norm", 64)
    before = 64
    for stage, (depth, width) in enumerate(((3, 64), (4, 128), (9, 256))):
        for block in range(depth):
            name = f"{trunk}.stages.{stage}.blocks.{block}"
            if not block:
                found |= conv(f"{name}.downsample.conv", before, 4 * width, 1, bias=False)
                found |= _affine(f"{name}.downsample.norm", 4 * width)
            for number, (one, other, kernel) in enumerate(
                ((before, width, 1), (width, width, 3), (width, 4 * width, 1)), start=1
            ):
                found |= conv(f"{name}.conv{number}", one, other, kernel, bias=False)
                found |= _affine(f"{name}.norm{number}", other)
            before = 4 * width
    found |= conv(f"{model}.patch_embed.proj", 1024, 768, 1)
    found |= {f"{model}.cls_token": (1, 1, 768), f"{model}.pos_embed": (1, 577, 768)}
    for block in range(12):
        name = f"{model}.blocks.{block}"
        found |= _affine(f"{name}.norm1", 768) | _affine(f"{name}.norm2", 768)
        found |= _linear(f"{name}.attn.qkv", 768, 2304) | _linear(f"{name}.attn.proj", 768, 768)
        found |= _linear(f"{name}.mlp.fc1", 768, 3072) | _linear(f"{name}.mlp.fc2", 3072, 768)
    found |= _affine(f"{model}.norm", 768) | _linear(f"{model}.head", 768, 1000)
    for number in (3, 4):
        found |= _linear(f"pretrained.act_postprocess{number}.0.project.0", 1536, 768)
        found |= conv(f"pretrained.act_postprocess{number}.3", 768, 768, 1)
    found |= conv("pretrained.act_postprocess4.4", 768, 768, 3)
    for number, width in enumerate((256, 512, 768, 768), start=1):
        found |= conv(f"scratch.layer{number}_rn", width, 256, 3, bias=False)
        found |= conv(f"scratch.refinenet{number}.out_conv", 256, 256, 1)
        for unit in (1, 2):
            for place in (1, 2):
                found |= conv(f"scratch.refinenet{number}.resConfUnit{unit}.conv{place}", 256, 256, 3)
    found |= conv("scratch.output_conv.0", 256, 128, 3) | conv("scratch.output_conv.2", 128, 32, 3)
    return found | conv("scratch.output_conv.4", 32, 1, 1)


def _linear(name: str, before: int, after: int) -> Shapes:
    return {f"{name}.weight": (after, before), f"{name}.bias": (after,)}


def _affine(name: str, channels: int) -> Shapes:
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}
