"""A network that is written down as a graph: nodes with an operation each, run one after the other on torch tensors.

Owns the few operations that MoveNet needs, with TensorFlow's conventions (channels last, padding SAME). A graph that asks for
anything else is refused when it is read. Refuses to know what a graph computes.
"""

from collections.abc import Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.engine.bad_file import BadFile


class Node(msgspec.Struct, frozen=True):
    """One step: what it does, to the answers of which nodes ("name:1" is the second answer of name), and how.

    `attr` are TensorFlow's attributes in plain JSON; strides and dilations are those of height and width.
    """

    name: str
    op: str
    input: tuple[str, ...] = ()
    attr: dict[str, Any] = {}


_nodes = msgspec.json.Decoder(tuple[Node, ...])


class Graph(nn.Module):
    """`nodes` in an order in which each comes after those it needs; `constants` are their weights by name."""

    def __init__(self, nodes: Sequence[Node], constants: Mapping[str, Tensor]) -> None:
        super().__init__()
        unknown = sorted({node.op for node in nodes} - set(_OPERATIONS) - {"Const", "Placeholder"})
        missing = [node.name for node in nodes if node.op == "Const" and node.name not in constants]
        if unknown or missing:
            raise BadFile(f"is a network that Easel cannot run: it lacks {', '.join((*unknown, *missing))[:200]}.")
        self._nodes = [node for node in nodes if node.op != "Const"]
        self._places = {node.name: f"weight_{number}" for number, node in enumerate(nodes) if node.op == "Const"}
        for name, place in self._places.items():
            value = constants[name]
            if value.is_floating_point():
                self.register_parameter(place, nn.Parameter(value.float(), requires_grad=False))
            else:
                self.register_buffer(place, value.long())

    def forward(self, picture: Tensor) -> Tensor:
        """What the last node answers when every placeholder is `picture` (1, H, W, C)."""
        answers: dict[str, Any] = {name: getattr(self, place) for name, place in self._places.items()}
        answer: Any = picture
        for node in self._nodes:
            answer = picture
            if node.op != "Placeholder":
                answer = _OPERATIONS[node.op](node.attr, [_taken(answers, name) for name in node.input])
            answers[node.name] = answer
        return answer


def read_nodes(text: str) -> tuple[Node, ...]:
    """The nodes written down in JSON `text`, in an order that can be run. Raises BadFile."""
    try:
        nodes = {node.name: node for node in _nodes.decode(text)}
        order = tuple(
            TopologicalSorter({name: map(_source, node.input) for name, node in nodes.items()}).static_order()
        )
    except (msgspec.MsgspecError, CycleError) as error:
        raise BadFile("holds a graph of a network that cannot be read.") from error
    if not nodes or not all(name in nodes for name in order):
        raise BadFile("holds a graph of a network in which steps are missing.")
    return tuple(nodes[name] for name in order)


def _source(name: str) -> str:
    return name.partition(":")[0]


def _taken(answers: Mapping[str, Any], name: str) -> Any:
    source, _, number = name.partition(":")
    answer = answers[source]
    return answer[int(number or 0)] if isinstance(answer, tuple) else answer


def _padding(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TensorFlow's SAME: as many outputs as strides fit, the odd pixel of padding at the end."""
    total = max((-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
    return total // 2, total - total // 2


_FUSED: Mapping[str, Callable[[Tensor], Tensor]] = {"Relu": F.relu, "Relu6": F.relu6, "Sigmoid": torch.sigmoid}


def _convolution(attr: Mapping[str, Any], inputs: Sequence[Tensor], *, depthwise: bool) -> Tensor:
    """Convolve (N, H, W, C) with a kernel (h, w, C, out), or (h, w, C, multiplier) where it is depthwise."""
    x, kernel, *rest = inputs
    stride, dilation = attr["strides"], attr.get("dilations", [1, 1])
    x = x.permute(0, 3, 1, 2)
    if attr["padding"] == "SAME":
        down = _padding(x.shape[2], kernel.shape[0], stride[0], dilation[0])
        across = _padding(x.shape[3], kernel.shape[1], stride[1], dilation[1])
        x = F.pad(x, (*across, *down))
    groups = kernel.shape[2] if depthwise else 1
    weight = kernel.permute(3, 2, 0, 1)
    if depthwise:
        weight = kernel.permute(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
    y = F.conv2d(x, weight, stride=stride, dilation=dilation, groups=groups).permute(0, 2, 3, 1)
    for name in attr.get("fused_ops", ()):
        y = y + rest.pop(0) if name == "BiasAdd" else _FUSED[name](y)
    return y


def _conv(attr: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    return _convolution(attr, inputs, depthwise=False)


def _depthwise(attr: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    return _convolution(attr, inputs, depthwise=True)


def _bilinear(attr: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    """Resize between pixels' centres, as torch does."""
    if attr.get("align_corners") or not attr.get("half_pixel_centers"):
        raise BadFile("is a network that resizes in a way that Easel does not know.")
    size = [int(side) for side in inputs[1]]
    return F.interpolate(inputs[0].permute(0, 3, 1, 2), size, mode="bilinear").permute(0, 2, 3, 1)


_KINDS = {"DT_INT32": torch.int64, "DT_INT64": torch.int64, "DT_FLOAT": torch.float32}


def _squeeze(attr: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    return inputs[0].squeeze(tuple(attr["squeeze_dims"])) if attr.get("squeeze_dims") else inputs[0].squeeze()


def _gather(_: Mapping[str, Any], inputs: Sequence[Tensor]) -> Tensor:
    """GatherNd: the last dimension of the second input are places in the first."""
    return inputs[0][tuple(inputs[1].long().unbind(-1))]


_OPERATIONS: Mapping[str, Callable[[Mapping[str, Any], Sequence[Tensor]], Any]] = {
    "_FusedConv2D": _conv,
    "Conv2D": _conv,
    "FusedDepthwiseConv2dNative": _depthwise,
    "DepthwiseConv2dNative": _depthwise,
    "ResizeBilinear": _bilinear,
    "Identity": lambda _, x: x[0],
    "AddV2": lambda _, x: x[0] + x[1],
    "Sub": lambda _, x: x[0] - x[1],
    "Mul": lambda _, x: x[0] * x[1],
    "RealDiv": lambda _, x: x[0] / x[1],
    "FloorDiv": lambda _, x: torch.div(x[0], x[1], rounding_mode="floor"),
    "SquaredDifference": lambda _, x: (x[0] - x[1]) ** 2,
    "Sqrt": lambda _, x: x[0].sqrt(),
    "Sigmoid": lambda _, x: x[0].sigmoid(),
    "Cast": lambda attr, x: x[0].to(_KINDS[attr["DstT"]]),
    "Reshape": lambda _, x: x[0].reshape([int(side) for side in x[1]]),
    "ExpandDims": lambda _, x: x[0].unsqueeze(int(x[1])),
    "Squeeze": _squeeze,
    "ArgMax": lambda _, x: x[0].argmax(int(x[1])),
    "Unpack": lambda attr, x: x[0].unbind(attr.get("axis", 0)),
    "Pack": lambda attr, x: torch.stack(list(x), attr.get("axis", 0)),
    "ConcatV2": lambda _, x: torch.cat(list(x[:-1]), int(x[-1])),
    "GatherNd": _gather,
}
