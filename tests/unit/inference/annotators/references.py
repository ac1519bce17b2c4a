"""The networks of preprocessors a second time, as plain functions over the names in their files: what modules must agree with."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]


def conv(w: Weights, name: str, x: Tensor, **how: int) -> Tensor:
    """A convolution of that name, padded so that the size stays unless `how` says otherwise."""
    weight = w[f"{name}.weight"]
    how.setdefault("padding", how.get("dilation", 1) * (weight.shape[-1] // 2))
    return F.conv2d(x, weight, w.get(f"{name}.bias"), **how)


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    """A linear layer of that name."""
    return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])


def batch_norm(w: Weights, name: str, x: Tensor) -> Tensor:
    """A batch norm of that name, in use."""
    mean, variance, gain, bias = (
        w[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * gain + bias


def hed(w: Weights, pixels: Tensor) -> Tensor:
    """The mean of five scales, through a sigmoid."""
    x, answers = pixels - w["norm"], []
    for block, depth in enumerate((2, 2, 3, 3, 3), start=1):
        for number in range(depth):
            x = conv(w, f"block{block}.convs.{number}", x).relu()
        answers.append(F.interpolate(conv(w, f"block{block}.projection", x), pixels.shape[-2:], mode="bilinear"))
        x = F.max_pool2d(x, 2, 2)
    return (sum(answers[1:], answers[0]) / 5).sigmoid()


def openpose(w: Weights, pixels: Tensor) -> Tensor:
    """Six stages of two branches; fields, then heat maps."""
    x = pixels[:, [2, 1, 0]] / 256 - 0.5
    for block in ("1_1 1_2", "2_1 2_2", "3_1 3_2 3_3 3_4", "4_1 4_2 4_3_CPM 4_4_CPM"):
        x = F.max_pool2d(x, 2) if block[0] != "1" else x
        for name in block.split():
            x = conv(w, f"conv{name}", x).relu()
    trunk = x
    for stage in range(1, 7):
        both = []
        for branch in ("L1", "L2"):
            count = 5 if stage == 1 else 7
            y = x
            for number in range(1, count + 1):
                name = f"conv5_{number}_CPM_{branch}" if stage == 1 else f"Mconv{number}_stage{stage}_{branch}"
                y = conv(w, name, y)
                y = y if number == count else y.relu()
            both.append(y)
        x = torch.cat((*both, trunk), dim=1)
    return torch.cat(both, dim=1)


def pidinet(w: Weights, pixels: Tensor) -> Tensor:
    """Differences in turn to the middle, around it and between rings, written out pixel by pixel; then four scales."""
    height, width = pixels.shape[-2:]
    x, answers, number = pixels[:, [2, 1, 0]] / 255, [], 0
    for scale in range(1, 5):
        for place in range(0 if scale == 1 else 1, 4 if scale == 1 else 5):
            if scale == 1 and place == 0:
                x = differences(x, w["init_block.weight"], number, groups=1)
            else:
                name = f"block{scale}_{place}"
                if place == 1 and scale > 1:
                    x = F.max_pool2d(x, 2)
                y = differences(x, w[f"{name}.conv1.weight"], number, groups=x.shape[1]).relu()
                side = conv(w, f"{name}.shortcut", x) if f"{name}.shortcut.weight" in w else x
                x = conv(w, f"{name}.conv2", y) + side
            number += 1
        at = scale - 1
        y = conv(w, f"dilations.{at}.conv1", x.relu())
        y = sum(
            conv(w, f"dilations.{at}.conv2_{i}", y, dilation=reach) for i, reach in enumerate((5, 7, 9, 11), start=1)
        )
        look = conv(w, f"attentions.{at}.conv2", conv(w, f"attentions.{at}.conv1", y.relu())).sigmoid()
        answers.append(F.interpolate(conv(w, f"conv_reduces.{at}.conv", y * look), (height, width), mode="bilinear"))
    return conv(w, "classifier", torch.cat(answers, dim=1)).sigmoid()


def differences(x: Tensor, weight: Tensor, number: int, *, groups: int) -> Tensor:
    """The convolution of layer `number` over differences of pixels, each shifted by itself."""
    padded = F.pad(x, (2, 2, 2, 2))
    height, width = x.shape[-2:]

    def shifted(down: int, across: int) -> Tensor:
        return padded[:, :, 2 + down : 2 + down + height, 2 + across : 2 + across + width]

    ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    total = torch.zeros(x.shape[0], weight.shape[0], height, width)
    for down in range(-1, 2):
        for across in range(-1, 2):
            here = shifted(down, across)
            match number % 4:
                case 0:
                    seen = here - shifted(0, 0)
                case 1 if (down, across) in ring:
                    after = ring[(ring.index((down, across)) + 1) % 8]
                    seen = here - shifted(*after)
                case 1:
                    seen = torch.zeros_like(here)
                case 2:
                    seen = shifted(2 * down, 2 * across) - here if (down, across) in _LATER else torch.zeros_like(here)
                case _:
                    seen = here
            tap = weight[:, :, down + 1, across + 1] if number % 4 != 2 else _ring_tap(weight, down, across)
            total = total + F.conv2d(seen, tap[:, :, None, None], groups=groups)
    return total


_LATER = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def _ring_tap(weight: Tensor, down: int, across: int) -> Tensor:
    """Rings are numbered from the second weight on, row by row, the middle left out."""
    if (down, across) not in _LATER:
        return torch.zeros_like(weight[:, :, 0, 0])
    return weight.flatten(2)[:, :, 1 + _LATER.index((down, across))]


def mlsd(w: Weights, pixels: Tensor) -> Tensor:
    """MobileNetV2 and a decoder that comes back to half of the size; the last nine channels."""
    x = torch.cat((pixels, torch.ones_like(pixels[:, :1])), dim=1) / 127.5 - 1

    def unit(name: str, after: str, y: Tensor, *, stride: int = 1, groups: int = 1) -> Tensor:
        y = F.pad(y, (0, 1, 0, 1)) if stride == 2 else y
        kernel = w[f"{name}.weight"].shape[-1]
        padding = 0 if stride == 2 else kernel // 2
        return batch_norm(w, after, conv(w, name, y, stride=stride, groups=groups, padding=padding))

    x = unit("backbone.features.0.0", "backbone.features.0.1", x, stride=2).clamp(0, 6)
    taps = []
    for number in range(1, 14):
        name, y, place = f"backbone.features.{number}.conv", x, 0
        if number > 1:
            y, place = unit(f"{name}.0.0", f"{name}.0.1", y).clamp(0, 6), 1
        stride = 2 if number in (2, 4, 7) else 1
        y = unit(f"{name}.{place}.0", f"{name}.{place}.1", y, stride=stride, groups=y.shape[1]).clamp(0, 6)
        y = unit(f"{name}.{place + 1}", f"{name}.{place + 2}", y)
        x = x + y if stride == 1 and y.shape == x.shape else y
        if number in (1, 3, 6, 10, 13):
            taps.append(x)

    def normed(name: str, y: Tensor, **how: int) -> Tensor:
        return batch_norm(w, f"{name}.1", conv(w, f"{name}.0", y, **how)).relu()

    for block, fine in zip((15, 17, 19, 21), reversed(taps[:4]), strict=True):
        below = normed(f"block{block}.conv1", x)
        if block > 15:
            below = F.interpolate(below, scale_factor=2, mode="bilinear", align_corners=True)
        x = torch.cat((normed(f"block{block}.conv2", fine), below), dim=1)
        x = normed(f"block{block + 1}.conv2", normed(f"block{block + 1}.conv1", x) + x)
    x = normed("block23.conv2", normed("block23.conv1", x, dilation=5))
    return conv(w, "block23.conv3", x)[:, 7:]


def midas(w: Weights, pixels: Tensor) -> Tensor:
    """DPT-Hybrid: a ResNet, a transformer over its last features, and four scales fused; (N, H, W)."""
    x = pixels / 127.5 - 1
    rows, columns = x.shape[-2] // 16, x.shape[-1] // 16
    stages = _resnet(w, x)
    model = "pretrained.model"
    tokens = conv(w, f"{model}.patch_embed.proj", stages[2]).flatten(2).transpose(1, 2)
    places = w[f"{model}.pos_embed"]
    grid = places[:, 1:].reshape(1, 24, 24, 768).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (rows, columns), mode="bilinear").flatten(2).transpose(1, 2)
    first = (w[f"{model}.cls_token"] + places[:, :1]).expand(len(tokens), -1, -1)
    tokens = torch.cat((first, tokens + grid), dim=1)
    states = []
    for number in range(12):
        tokens = _block(w, f"{model}.blocks.{number}", tokens)
        states.append(tokens)
    layers = [stages[0], stages[1]]
    for number, state in ((3, states[8]), (4, states[11])):
        first = state[:, :1].expand(-1, rows * columns, -1)
        read = F.gelu(
            linear(w, f"pretrained.act_postprocess{number}.0.project.0", torch.cat((state[:, 1:], first), dim=2))
        )
        layers.append(
            conv(w, f"pretrained.act_postprocess{number}.3", read.transpose(1, 2).unflatten(2, (rows, columns)))
        )
    layers[3] = conv(w, "pretrained.act_postprocess4.4", layers[3], stride=2)
    y: Tensor | None = None
    for number in range(4, 0, -1):
        own, name = conv(w, f"scratch.layer{number}_rn", layers[number - 1]), f"scratch.refinenet{number}"
        y = own if y is None else y + _unit(w, f"{name}.resConfUnit1", own)
        y = F.interpolate(_unit(w, f"{name}.resConfUnit2", y), scale_factor=2, mode="bilinear", align_corners=True)
        y = conv(w, f"{name}.out_conv", y)
    assert y is not None
    y = F.interpolate(conv(w, "scratch.output_conv.0", y), scale_factor=2, mode="bilinear", align_corners=True)
    return conv(w, "scratch.output_conv.4", conv(w, "scratch.output_conv.2", y).relu()).relu()[:, 0]


def _resnet(w: Weights, x: Tensor) -> list[Tensor]:
    """A ResNet of standardised convolutions and group norms, padded as TensorFlow does, as far as its third stage."""
    trunk = "pretrained.model.patch_embed.backbone"

    def unit(name: str, norm: str, y: Tensor, *, stride: int = 1) -> Tensor:
        weight = w[f"{name}.weight"]
        flat = weight.flatten(1)
        flat = (flat - flat.mean(1, keepdim=True)) / (flat.var(1, unbiased=False, keepdim=True) + 1e-8).sqrt()
        y = F.conv2d(_same(y, weight.shape[-1], stride), flat.view_as(weight), stride=stride)
        return F.group_norm(y, 32, w[f"{norm}.weight"], w[f"{norm}.bias"])

    x = unit(f"{trunk}.stem.conv", f"{trunk}.stem.norm", x, stride=2).relu()
    x = F.max_pool2d(_same(x, 3, 2, value=-float("inf")), 3, 2)
    found = []
    for stage, depth in enumerate((3, 4, 9)):
        for block in range(depth):
            name = f"{trunk}.stages.{stage}.blocks.{block}"
            stride = 2 if stage and not block else 1
            side = unit(f"{name}.downsample.conv", f"{name}.downsample.norm", x, stride=stride) if not block else x
            y = unit(f"{name}.conv1", f"{name}.norm1", x).relu()
            y = unit(f"{name}.conv2", f"{name}.norm2", y, stride=stride).relu()
            x = (unit(f"{name}.conv3", f"{name}.norm3", y) + side).relu()
        found.append(x)
    return found


def _same(x: Tensor, kernel: int, stride: int, *, value: float = 0.0) -> Tensor:
    """Padded so that as many outputs as strides fit, the odd pixel at the end."""
    total = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:]]
    return F.pad(x, (total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2), value=value)


def _block(w: Weights, name: str, x: Tensor) -> Tensor:
    """A layer of a vision transformer with twelve heads."""

    def normed(part: str, y: Tensor) -> Tensor:
        return F.layer_norm(y, (768,), w[f"{name}.{part}.weight"], w[f"{name}.{part}.bias"], 1e-6)

    queries, keys, values = linear(w, f"{name}.attn.qkv", normed("norm1", x)).unflatten(2, (3, 12, 64)).unbind(2)
    scores = torch.einsum("nqhc,nkhc->nhqk", queries, keys) / 8
    mixed = torch.einsum("nhqk,nkhc->nqhc", scores.softmax(-1), values).flatten(2)
    x = x + linear(w, f"{name}.attn.proj", mixed)
    return x + linear(w, f"{name}.mlp.fc2", F.gelu(linear(w, f"{name}.mlp.fc1", normed("norm2", x))))


def _unit(w: Weights, name: str, x: Tensor) -> Tensor:
    """Two convolutions beside a shortcut."""
    return x + conv(w, f"{name}.conv2", conv(w, f"{name}.conv1", x.relu()).relu())
