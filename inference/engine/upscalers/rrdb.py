"""RRDBNet: residual dense blocks inside residuals (ESRGAN, Wang et al. 2018; Real-ESRGAN, Wang et al. 2021).

Owns the architecture and the three ways in which its files name their weights:

    new (Real-ESRGAN)     conv_first  body.N.rdbM.convK        conv_body   conv_upN  conv_hr  conv_last
    BSRGAN, RealSR        conv_first  RRDB_trunk.N.RDBM.convK  trunk_conv  upconvN   HRconv   conv_last
    old (ESRGAN, most)    model.0     model.1.sub.N.RDBM.convK.0, model.1.sub.LAST, then numbered on, every third a step up

Networks for 2 and 1 times fold the picture by pixel-unshuffle first, where their first convolution has 4 or 16 times the
channels. Refuses to know about tiles.
"""

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Dense(nn.Module):
    """Five convolutions, each of which sees all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(4):
            self.add_module(f"conv{number + 1}", nn.Conv2d(width + number * growth, growth, 3, padding=1))
        self.conv5 = nn.Conv2d(width + 4 * growth, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for number in range(1, 5):
            seen = torch.cat((seen, F.leaky_relu(self.get_submodule(f"conv{number}")(seen), 0.2)), dim=1)
        return self.conv5(seen) * 0.2 + x


class _Block(nn.Module):
    """Three dense blocks in a residual."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class Rrdb(nn.Module):
    """`blocks` blocks of `width` channels, then `ups` times doubled; `fold` is the pixel-unshuffle before it all."""

    def __init__(self, *, channels: int, width: int, growth: int, blocks: int, ups: int, fold: int) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(channels * fold * fold, width, 3, padding=1)
        self.body = nn.Sequential(*(_Block(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(ups))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, channels, 3, padding=1)
        self.channels = channels
        self.fold = fold
        self.scale = 2**ups // fold

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) in [0, 1], sides multiples of `fold`, to (B, C, h·scale, w·scale)."""
        if self.fold > 1:
            x = F.pixel_unshuffle(x, self.fold)
        x = self.conv_first(x)
        x = x + self.conv_body(self.body(x))
        for conv in self.conv_up:
            x = F.leaky_relu(conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(x), 0.2))


_MARKS = ("body.0.rdb1.conv1.weight", "RRDB_trunk.0.RDB1.conv1.weight", "model.1.sub.0.RDB1.conv1.0.weight")
_DENSE = re.compile(r"(?:body|RRDB_trunk|model\.1\.sub)\.(\d+)\.(?:rdb|RDB)(\d)\.conv(\d)(?:\.0)?\.(weight|bias)")
_TRUNK = re.compile(r"(?:conv_body|trunk_conv|model\.1\.sub\.\d+)\.(weight|bias)")
_UP = re.compile(r"(?:conv_up|upconv)(\d)\.(weight|bias)")
_HR = re.compile(r"(?:conv_hr|HRconv)\.(weight|bias)")
_OLD = re.compile(r"model\.(\d+)\.(weight|bias)")


def is_rrdb(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether tensors of these `shapes` are of this kind. ESRGAN+ (with 1x1 convolutions inside) is another one."""
    return any(mark in shapes for mark in _MARKS) and not any("conv1x1" in name for name in shapes)


def build_rrdb(tensors: Mapping[str, Tensor]) -> Rrdb:
    """The network that `tensors` are the weights of, however named. Raises RuntimeError, KeyError where they do not fit."""
    last = max((int(found[1]) for name in tensors if (found := _OLD.fullmatch(name))), default=0)
    state = {renamed(name, last=last): value for name, value in tensors.items()}
    channels, first = state["conv_last.weight"].shape[0], state["conv_first.weight"]
    network = Rrdb(
        channels=channels,
        width=first.shape[0],
        growth=state["body.0.rdb1.conv1.weight"].shape[0],
        blocks=1 + max(int(name.split(".")[1]) for name in state if name.startswith("body.")),
        ups=sum(name.startswith("conv_up.") and name.endswith("weight") for name in state),
        fold=max(1, round((first.shape[1] / channels) ** 0.5)),
    )
    network.load_state_dict(state)
    return network


def renamed(name: str, *, last: int) -> str:
    """`name` as `Rrdb` calls it; `last` is the number of the old form's last convolution. What is unknown stays as it is."""
    if found := _DENSE.fullmatch(name):
        return f"body.{found[1]}.rdb{found[2]}.conv{found[3]}.{found[4]}"
    if found := _TRUNK.fullmatch(name):
        return f"conv_body.{found[1]}"
    if found := _UP.fullmatch(name):
        return f"conv_up.{int(found[1]) - 1}.{found[2]}"
    if found := _HR.fullmatch(name):
        return f"conv_hr.{found[1]}"
    if found := _OLD.fullmatch(name):
        number = int(found[1])
        place = {0: "conv_first", last: "conv_last", last - 2: "conv_hr"}.get(number, f"conv_up.{number // 3 - 1}")
        return f"{place}.{found[2]}"
    return name
