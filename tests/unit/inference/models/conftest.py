"""Shared parts of the tests of models: a device, and loading a tiny checkpoint by path."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from inference.api.result import ModelFile
from inference.engine.checkpoint import Checkpoint, load_checkpoint

CPU = torch.device("cpu")


@pytest.fixture
def load() -> Callable[[Path], Checkpoint]:
    """Load the file at a path in fp32 on the CPU."""

    def loaded(path: Path) -> Checkpoint:
        info = ModelFile(path.stem, str(path), "", "unknown")
        return load_checkpoint(info, device=CPU, dtype=torch.float32)

    return loaded
