"""The networks that preprocessors run: which file holds which, and how each is read.

Owns the table of kinds, the marks by which a file is known, and loading. Weights are read without unpickling code; folders of
transformers must hold safetensors. Refuses to know what a network's answer means.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inference.api.errors import FailureCode
from inference.api.preprocessors import PreprocessorRow, network_for
from inference.api.result import Inventory, ModelFile
from inference.engine.annotators.depth import DepthNetwork, load_midas, preprocessing_of
from inference.engine.annotators.hed import HED
from inference.engine.annotators.mlsd import MLSD
from inference.engine.annotators.movenet import load_movenet
from inference.engine.annotators.openpose import BodyPose
from inference.engine.annotators.palette import ADE20K
from inference.engine.annotators.pidinet import PiDiNet
from inference.engine.annotators.segmentation import Segmenter
from inference.engine.bad_file import BadFile
from inference.engine.checkpoint import module_bytes
from inference.engine.faces.mtcnn import MTCNN
from inference.engine.hashing import Facts
from inference.engine.job import Refused
from inference.engine.weights import WeightsFile, read_shapes

FOLDER_FILE, CONFIG = "model.safetensors", "config.json"
"""What a folder of transformers holds."""
MAX_CONFIG = 1 << 20
"""Bytes of a description that are read."""
_PARALLEL = "module."
"""What torch puts before the names of a network that was trained on several cards."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of network. `marks` are weights that it has and others have not; `file` is how people know it."""

    file: str
    load: Callable[[Path], nn.Module]
    marks: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


def identify(path: Path) -> Facts:
    """What the file at `path` holds, by its header; the family is "unknown" where no preprocessor runs it.

    Raises BadFile, OSError.
    """
    shapes, _ = read_shapes(path)
    if is_folder(path):
        wanted = _config(path).get("architectures")
        names = {name for name in wanted if isinstance(name, str)} if isinstance(wanted, list) else set[str]()
        kind = next((kind for kind, row in KINDS.items() if names & set(row.architectures)), "unknown")
        return Facts(0, 0, family=kind)
    names = {name.removeprefix(_PARALLEL) for name in shapes}
    kind = next((kind for kind, row in KINDS.items() if row.marks and names >= set(row.marks)), "unknown")
    return Facts(0, 0, family=kind)


def is_folder(path: Path) -> bool:
    """Whether `path` is the weights file of a folder in transformers' form."""
    return path.name == FOLDER_FILE and (path.parent / CONFIG).is_file()


@dataclass(frozen=True, slots=True)
class Resident:
    """A network in memory, and how many bytes it takes."""

    network: nn.Module
    bytes: int


def load_network(file: ModelFile, *, device: torch.device) -> Resident:
    """The network in `file`, in single precision, ready to run. Raises Refused."""
    path = Path(file.path)
    try:
        network = KINDS[file.family].load(path)
    except BadFile as error:
        raise Refused(FailureCode.BROKEN_MODEL, f"{path.name} {error}") from error
    except OSError as error:
        raise Refused(FailureCode.UNKNOWN_MODEL, f"The file of the network “{file.name}” is gone.") from error
    network = network.to(device=device, dtype=torch.float32).eval().requires_grad_(requires_grad=False)
    return Resident(network, module_bytes(network))


def file_for(row: PreprocessorRow, inventory: Inventory) -> ModelFile:
    """The file with the network that `row` runs. Raises Refused with what would be right."""
    file = network_for(row, inventory)
    if file is None:
        wanted = " or ".join(KINDS[kind].file for kind in row.networks)
        raise Refused(
            FailureCode.UNKNOWN_MODEL,
            f"The preprocessor “{row.label}” needs a network that is not here: whoever runs this painter can put {wanted} "
            "into models/annotators.",
        )
    return file


def _own(make: Callable[[], nn.Module]) -> Callable[[Path], nn.Module]:
    """How the weights of one of our own modules are read, under their own names."""

    def load(path: Path) -> nn.Module:
        with torch.device("meta"):
            network = make()
        with WeightsFile(path) as file:
            weights = {name.removeprefix(_PARALLEL): file.read(name) for name in file}
        counters = {name: torch.tensor(0) for name in network.state_dict() if name.endswith("num_batches_tracked")}
        try:
            answer = network.load_state_dict(counters | weights, strict=False, assign=True)
        except RuntimeError as error:
            raise BadFile("is of another shape than the network that it should hold; download it again.") from error
        if answer.missing_keys:
            raise BadFile(f"is not whole: it lacks {', '.join(answer.missing_keys)[:120]}.")
        return network

    return load


def _mlsd(path: Path) -> nn.Module:
    """M-LSD; the notes of a file say where it was made for the authors' own way of enlarging."""
    with WeightsFile(path) as file:
        first = file.metadata.get("grows") == "before"
    return _own(lambda: MLSD(grows="before" if first else "after"))(path)


def _folder(read: Callable[[Path, Mapping[str, Any]], nn.Module]) -> Callable[[Path], nn.Module]:
    """How a folder of transformers is read: `read` is handed it and what its notes say of a picture's numbers."""

    def load(path: Path) -> nn.Module:
        notes = path.parent / "preprocessor_config.json"
        try:
            return read(path.parent, preprocessing_of(_read_json(notes) if notes.is_file() else {}))
        except BadFile:
            raise
        except Exception as error:  # transformers fails in as many ways as a folder can be wrong
            raise BadFile("is a folder from which transformers cannot make a network.") from error

    return load


def _depth(folder: Path, numbers: Mapping[str, Any]) -> nn.Module:
    from transformers import AutoModelForDepthEstimation

    model = AutoModelForDepthEstimation.from_pretrained(folder, **_ONLY_HERE)
    patch = getattr(model.config, "patch_size", None) or getattr(model.config.backbone_config, "patch_size", None) or 32
    return DepthNetwork(model, block=patch * 2 if hasattr(model, "dpt") else patch, **numbers)


def _segmentation(folder: Path, numbers: Mapping[str, Any]) -> nn.Module:
    from transformers import AutoModelForSemanticSegmentation

    model = AutoModelForSemanticSegmentation.from_pretrained(folder, **_ONLY_HERE)
    if model.config.num_labels != len(ADE20K):
        raise BadFile(f"knows {model.config.num_labels} kinds of thing; one that was trained on ADE20K knows 150.")
    return Segmenter(model, **numbers)


_ONLY_HERE: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "dtype": torch.float32}


def _config(path: Path) -> Mapping[str, Any]:
    return _read_json(path.parent / CONFIG)


def _read_json(path: Path) -> Mapping[str, Any]:
    """The table in `path`. Raises BadFile, OSError."""
    if path.stat().st_size > MAX_CONFIG:
        raise BadFile(f"has a {path.name} beside it that is too large for one.")
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadFile(f"has a {path.name} beside it that is no JSON.") from error
    if not isinstance(value, dict):
        raise BadFile(f"has a {path.name} beside it that is no table.")
    return value


KINDS: Mapping[str, Kind] = {
    "openpose": Kind("body_pose_model.pth", _own(BodyPose), marks=("conv4_4_CPM.weight", "Mconv7_stage6_L2.weight")),
    "movenet": Kind(
        "movenet-lightning.fp16.safetensors",
        load_movenet,
        marks=("kpt_regress_0/conv2d_6/Conv2D/ReadVariableOp", "kpt_offset_0/conv2d_7/Conv2D/ReadVariableOp"),
    ),
    "mtcnn": Kind("mtcnn.fp16.safetensors", _own(MTCNN), marks=("pnet.conv4_1.weight", "onet.dense6_3.weight")),
    "hed": Kind("ControlNetHED.pth", _own(HED), marks=("norm", "block1.convs.0.weight", "block5.projection.weight")),
    "pidinet": Kind("table5_pidinet.pth", _own(PiDiNet), marks=("init_block.weight", "block4_4.conv1.weight")),
    "mlsd": Kind(
        "mlsd_large_512_fp32.pth", _mlsd, marks=("backbone.features.13.conv.3.weight", "block23.conv3.weight")
    ),
    "midas": Kind(
        "dpt_hybrid-midas-501f0c75.pt",
        load_midas,
        marks=("pretrained.model.patch_embed.backbone.stem.conv.weight", "scratch.output_conv.4.weight"),
    ),
    "dpt": Kind(
        "a DPT folder of transformers (Intel/dpt-hybrid-midas)",
        _folder(_depth),
        architectures=("DPTForDepthEstimation",),
    ),
    "depth_anything": Kind(
        "a Depth Anything folder of transformers (depth-anything/Depth-Anything-V2-Small-hf)",
        _folder(_depth),
        architectures=("DepthAnythingForDepthEstimation",),
    ),
    "segmentation": Kind(
        "a folder of transformers that was trained on ADE20K (nvidia/segformer-b0-finetuned-ade-512-512)",
        _folder(_segmentation),
        architectures=("SegformerForSemanticSegmentation", "UperNetForSemanticSegmentation"),
    ),
}
"""Every kind of network, by the names that the catalogue uses; a file is of the first kind whose marks it has."""
