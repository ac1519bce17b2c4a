"""Makes `models/annotators/mlsd-large.fp16.safetensors` from the network as it is published in ONNX.

`python -m tools.annotators.mlsd mlsd_512x512_large.onnx OUT` (npm package `jp.keijiro.mlsd`; needs the package `onnx`). In that
file batch norms are folded into convolutions; here they become batch norms that only add, so that the weights carry the names
of `mlsd_large_512_fp32.pth` and `inference/engine/annotators/mlsd.py` reads both.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

EPSILON = 1e-5
"""What torch's batch norm adds to the variance."""
NOTES = {"format": "pt", "title": "M-LSD large", "author": "NAVER / LINE", "license": "Apache-2.0", "grows": "before"}
_RELU = re.compile(r"re_lu(?:_(\d+))?/Relu")
Weights = dict[str, np.ndarray]


def normed(conv: str, norm: str, weight: np.ndarray, bias: np.ndarray, *, biased: bool) -> Weights:
    """A folded convolution, and a batch norm after it that adds `bias` where the convolution has none of its own."""
    channels = len(bias)
    found = {
        f"{conv}.weight": weight,
        f"{norm}.weight": np.full(channels, (1 + EPSILON) ** 0.5),
        f"{norm}.bias": np.zeros(channels) if biased else bias,
        f"{norm}.running_mean": np.zeros(channels),
        f"{norm}.running_var": np.ones(channels),
    }
    return found | ({f"{conv}.bias": bias} if biased else {})


def trunk() -> Iterator[tuple[str, str]]:
    """Convolutions of the trunk and their norms, in the order in which they run."""
    yield "backbone.features.0.0", "backbone.features.0.1"
    for layer in range(1, 14):
        name, expands = f"backbone.features.{layer}.conv", layer > 1
        for number in range(2 if expands else 1):
            yield f"{name}.{number}.0", f"{name}.{number}.1"
        last = 2 if expands else 1
        yield f"{name}.{last}", f"{name}.{last + 1}"


def decoder(number: int) -> tuple[str, str]:
    """The convolution and norm before the decoder's ReLU of this number."""
    if number >= 16:
        part = f"block23.conv{number - 15}"
    else:
        stage, place = divmod(number, 4)
        part = f"block{15 + 2 * stage + place // 2}.conv{(2, 1, 1, 2)[place]}"
    return f"{part}.0", f"{part}.1"


def weights_in(graph: Any) -> Weights:
    """All weights of `graph` by their torch names."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    users = {name: node for node in graph.node for name in node.input if node.op_type == "Relu"}
    order, found = trunk(), Weights()
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        weight, bias = (arrays[name] for name in node.input[1:3])
        after = users.get(node.output[0])
        if after is not None:
            number = "".join(_RELU.findall(after.output[0])[:1])
            found |= normed(*decoder(int(number or 0)), weight, bias, biased=True)
        elif len(bias) == 16 and weight.shape[1] == 64:
            found |= {"block23.conv3.weight": weight, "block23.conv3.bias": bias}
        else:
            found |= normed(*next(order), weight, bias, biased=False)
    if next(order, None) is not None:
        raise ValueError("This is not M-LSD's large network: it has fewer convolutions.")
    return found


def main(source: Path, out: Path) -> None:
    """Convert `source` (.onnx) to `out` (.safetensors)."""
    found = {name: value.astype(np.float16) for name, value in weights_in(onnx.load(source).graph).items()}
    save_file(found, out, metadata=NOTES)
    print(f"{out}: {len(found)} tensors, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
