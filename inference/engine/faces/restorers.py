"""Networks that restore a face: files of GFPGAN, CodeFormer and RestoreFormer, known by their weights and run on upright squares.

The architectures are spandrel's; CodeFormer's lies in a package of its own, whose licence forbids commercial use, so that Easel
does not install it. Owns what each network is given and what of its answer is the face. Refuses to know where faces lie.
"""

import contextlib
import importlib.util
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.api.errors import FailureCode
from inference.api.result import ModelFile
from inference.engine.architectures import find_architecture, load_architecture, plain
from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import module_bytes
from inference.engine.hashing import Facts
from inference.engine.job import Refused
from inference.engine.weights import WeightsFile, read_shapes

_MARKS: Mapping[str, frozenset[str]] = {
    "gfpgan": frozenset({"toRGB.0.weight", "stylegan_decoder.style_mlp.1.weight"}),
    "codeformer": frozenset({"position_emb", "idx_pred_layer.1.weight", "quantize.embedding.weight"}),
}
FAMILIES = frozenset({"gfpgan", "codeformer", "restoreformer"})
_NONE = "restores no faces: it is neither a GFPGAN (1.3, 1.4) nor a CodeFormer nor a RestoreFormer."
_LICENCE = (
    "CodeFormer's code does not come with Easel, since its licence (S-Lab 1.0) forbids commercial use; where that suits, whoever "
    "runs this painter installs it: .venv/bin/pip install --no-deps spandrel_extra_arches==0.2.0"
)


def identify_face_restorer(path: Path) -> Facts:
    """What the file at `path` is. Raises BadFile where it restores no faces, OSError."""
    names = plain(dict(read_shapes(path)[0]))
    family = next((family for family, marks in _MARKS.items() if marks <= names.keys()), "")
    if not family:
        try:
            family = find_architecture(names).lower()
        except BadFile as error:
            raise BadFile(_NONE) from error
    if family not in FAMILIES:
        raise BadFile(_NONE)
    return Facts(0, 0, family=family)


class Restorer(nn.Module):
    """One network on squares of 512 pixels. `bytes` is the memory of its weights."""

    def __init__(self, network: nn.Module, family: str) -> None:
        super().__init__()
        self.network, self.family, self.bytes = network, family, module_bytes(network)

    def forward(self, squares: Tensor, seeds: Tensor, weights: Tensor) -> Tensor:
        """(B, 3, 512, 512) in [-1, 1] to about the same, restored.

        `seeds` (B, 1) whole numbers: GFPGAN draws noise, which must not depend on whose faces share the batch. `weights` (B, 1)
        are CodeFormer's: 0 restores most, 1 is most faithful.
        """
        numbers = zip(seeds.flatten().tolist(), weights.flatten().tolist(), strict=True)
        with _own_chance(squares.device):
            return torch.cat([self._one(square[None], *each) for square, each in zip(squares, numbers, strict=True)])

    def _one(self, square: Tensor, seed: int, weight: float) -> Tensor:
        torch.manual_seed(seed)
        options: dict[str, Any] = {"weight": weight} if self.family == "codeformer" else {}
        return self.network(square, **options)[0]


@contextlib.contextmanager
def _own_chance(device: torch.device) -> Generator[None]:
    """Numbers drawn within leave no trace in torch's own stream."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def load_restorer(file: ModelFile, *, device: torch.device) -> Restorer:
    """The network of `file`, in single precision: none of them bears less. Raises Refused."""
    path = Path(file.path)
    if file.family == "codeformer" and importlib.util.find_spec("spandrel_extra_arches") is None:
        raise Refused(FailureCode.UNKNOWN_MODEL, _LICENCE)
    try:
        with WeightsFile(path) as weights:
            network = load_architecture({name: weights.read(name) for name in weights}).model
    except BadFile as error:
        raise Refused(FailureCode.BROKEN_MODEL, f"{path.name} {error}") from error
    except OSError as error:
        raise Refused(FailureCode.UNKNOWN_MODEL, f"The file of the face restorer “{file.name}” is gone.") from error
    restorer = Restorer(network, file.family)
    return restorer.to(device=device, dtype=torch.float32).eval().requires_grad_(requires_grad=False)
