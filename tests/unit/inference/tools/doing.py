"""Running a tool inside the test, reading what it made, and checkpoints that are small enough to compare weight by weight."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from inference.api.tools import Command, Outcome, Report
from inference.engine.tools.table import tool_for

POSITIONS = "cond_stage_model.transformer.text_model.embeddings.position_ids"
WORD = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
INPUT = "model.diffusion_model.input_blocks.0.0.weight"
DECODER = "first_stage_model.decoder.conv_in.weight"


def few_weights(*, seed: int = 0, channels: int = 4, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """One weight of each part of an SD1 checkpoint, ids of places, a noise table, and averages of the UNet's."""
    random = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random).to(dtype)

    return {
        INPUT: noise(8, channels, 3, 3),
        "model.diffusion_model.out.2.bias": noise(4),
        "first_stage_model.decoder.conv_in.bias": noise(16),
        DECODER: noise(16, 4, 3, 3),
        WORD: noise(50, 8),
        POSITIONS: torch.arange(77).unsqueeze(0),
        "alphas_cumprod": torch.linspace(0.99, 0.01, 1000),
        "model_ema.diffusion_modelinput_blocks00weight": noise(8, channels, 3, 3),
        "model_ema.diffusion_modelout2bias": noise(4),
        "model_ema.num_updates": torch.tensor(7, dtype=torch.int32),
        "model_ema.decay": torch.tensor(0.9999),
    }


def write(path: Path, weights: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Path:
    """Write `weights` at `path` in the format of its ending; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(dict(weights), path, dict(metadata or {}))
    else:
        torch.save({"state_dict": dict(weights), "epoch": 3}, path)
    return path


def do(command: Command) -> Any:
    """The outcome of `command`."""
    return did(command)[0]


def did(command: Command) -> tuple[Outcome, list[Report]]:
    """The outcome of `command`, and what was told on the way."""
    told: list[Report] = []
    return tool_for(command)(command, told.append), told


def read(path: Path | str) -> dict[str, Tensor]:
    """All weights of a file, by the libraries that made the formats."""
    if str(path).endswith(".ckpt"):
        return torch.load(path, weights_only=True)["state_dict"]
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping


def listed(folder: Path) -> list[str]:
    """Names of all that lies in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def metadata_of(path: Path | str) -> dict[str, str]:
    """The free text in a file's header."""
    with safe_open(str(path), framework="pt") as file:
        return file.metadata() or {}


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether both hold the same names, kinds of numbers and bits."""
    return one.keys() == other.keys() and all(
        one[key].dtype == other[key].dtype
        and one[key].shape == other[key].shape
        and torch.equal(_bits(one[key]), _bits(other[key]))
        for key in one
    )


def _bits(value: Tensor) -> Tensor:
    return value.contiguous().reshape(-1).view(torch.uint8)
