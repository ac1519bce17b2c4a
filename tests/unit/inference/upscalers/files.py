"""Small networks with random weights under the names that real files use, and pictures to enlarge."""

import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from inference.engine.architectures import _registry
from inference.engine.upscalers.loading import Enlarger, load_upscaler
from inference.engine.upscalers.rrdb import Rrdb
from inference.engine.work import Apply, Borrow, UpscaleTile

CPU = torch.device("cpu")


def randomised(network: torch.nn.Module, *, seed: int = 0, gain: float = 1.0) -> dict[str, Tensor]:
    """The state of `network` with weights drawn anew, so that nothing in it is zero or a default."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.named_parameters():
        wide = max(1, value[0].numel()) if value.ndim > 1 else 4
        value.data = torch.randn(value.shape, generator=generator) * gain / wide**0.5
        if "norm" in name and name.endswith("weight"):
            value.data += 1
    return {name: value.detach().clone().contiguous() for name, value in network.state_dict().items()}


def rrdb(*, ups: int = 2, fold: int = 1, blocks: int = 2, channels: int = 3) -> Rrdb:
    """A small RRDB network with random weights."""
    network = Rrdb(channels=channels, width=8, growth=32, blocks=blocks, ups=ups, fold=fold)
    randomised(network)
    return network.eval()


def named(state: Mapping[str, Tensor], form: str) -> dict[str, Tensor]:
    """The weights of `Rrdb` under the names of a `form`: new, bsrgan or old."""
    ups = sum(name.startswith("conv_up") and name.endswith("weight") for name in state)
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("body."))
    return {_name(name, form, ups=ups, blocks=blocks): value for name, value in state.items()}


def _name(name: str, form: str, *, ups: int, blocks: int) -> str:
    kind, leaf = name.rsplit(".", 1)
    dense = re.fullmatch(r"body\.(\d+)\.rdb(\d)\.conv(\d)", kind)
    up = re.fullmatch(r"conv_up\.(\d)", kind)
    if form == "new":
        return f"conv_up{int(up[1]) + 1}.{leaf}" if up else name
    if form == "bsrgan":
        if dense:
            return f"RRDB_trunk.{dense[1]}.RDB{dense[2]}.conv{dense[3]}.{leaf}"
        if up:
            return f"upconv{int(up[1]) + 1}.{leaf}"
        return f"{ {'conv_body': 'trunk_conv', 'conv_hr': 'HRconv'}.get(kind, kind) }.{leaf}"
    if dense:
        return f"model.1.sub.{dense[1]}.RDB{dense[2]}.conv{dense[3]}.0.{leaf}"
    if up:
        return f"model.{3 * (int(up[1]) + 1)}.{leaf}"
    ends = {
        "conv_first": "model.0",
        "conv_body": f"model.1.sub.{blocks}",
        "conv_hr": f"model.{3 * ups + 2}",
        "conv_last": f"model.{3 * ups + 4}",
    }
    return f"{ends[kind]}.{leaf}"


def saved(state: Mapping[str, Any], path: Path) -> Path:
    """`state` in a file of the kind that `path` ends with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(dict(state), path)
    else:
        torch.save(state, path)
    return path


def loaded(path: Path) -> Enlarger:
    """The network in a file, in fp32 on the CPU."""
    return load_upscaler(path, device=CPU, dtype=torch.float32)


def architecture(name: str) -> Any:
    """Spandrel's module that defines the networks of that architecture."""
    registry = _registry()
    assert registry is not None, "spandrel is pinned in requirements-alone.txt"
    return registry[name].architecture


def noise(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """A picture of soft blotches with hard edges among them, in which a seam has nowhere to hide."""
    generator = np.random.default_rng(seed)
    small = Image.fromarray(generator.integers(0, 256, (max(1, height // 8), max(1, width // 8), 3), dtype=np.uint8))
    soft = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    hard = (np.add.outer(np.arange(height) // 7, np.arange(width) // 7) % 2)[..., None] * 40
    return Image.fromarray((soft + hard).clip(0, 255).astype(np.uint8))


def run(work: Generator[Any, Any, Any], **networks: Any) -> tuple[Any, int]:
    """Answer all that a generator asks for, as the loop does; what it returns, and how many calls of networks it took."""
    answer, calls = None, 0
    with torch.inference_mode():
        while True:
            try:
                wanted = work.send(answer)
            except StopIteration as end:
                return end.value, calls
            match wanted:
                case Borrow(name=name):
                    answer = networks[name]
                    continue
                case UpscaleTile(network=network, tile=tile):
                    answer = network(tile)
                case Apply(network=network, inputs=inputs):
                    answer = network(*inputs)
                case _:
                    raise AssertionError(wanted)
            calls += 1
