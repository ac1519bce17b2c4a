"""Networks of preprocessors from files: found, known by what they hold, read whole, and agreeing with a second reading."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTConfig,
    DPTForDepthEstimation,
    SegformerConfig,
    SegformerForSemanticSegmentation,
)

from bot.settings import PROJECT
from inference.api.control import Preprocessor
from inference.api.preprocessors import PREPROCESSORS, network_for, row_of, usable
from inference.api.result import Inventory, ModelFile
from inference.engine.annotators.annotate import annotate
from inference.engine.annotators.networks import KINDS, load_network
from inference.engine.annotators.palette import ADE20K
from inference.engine.discovery import discover
from inference.engine.job import Refused
from inference.engine.shelf import Shelf
from inference.engine.work import Apply
from tests.checkpoints import write_hostile_checkpoint
from tests.unit.inference.annotators import files, references
from tests.unit.inference.annotators.running import OneNetwork, drawing, levels, mapped, noise

CPU = torch.device("cpu")
Reference = Callable[[Mapping[str, Tensor], Tensor], Tensor]


def found_in(root: Path) -> tuple[ModelFile, ...]:
    """The networks on the shelf below `root`."""
    return discover([root], root / "cache").annotators


def loaded(root: Path) -> nn.Module:
    """The only network below `root`."""
    (file,) = found_in(root)
    return load_network(file, device=CPU).network


NETWORKS: dict[str, tuple[str, Callable[[], files.Shapes], Reference, tuple[int, int]]] = {
    "hed": ("ControlNetHED.pth", files.hed_shapes, references.hed, (64, 96)),
    "pidinet": ("table5_pidinet.pth", files.pidinet_shapes, references.pidinet, (64, 96)),
    "mlsd": ("mlsd_large_512_fp32.pth", files.mlsd_shapes, references.mlsd, (128, 128)),
    "openpose": ("body_pose_model.pth", files.openpose_shapes, references.openpose, (64, 48)),
    "midas": ("dpt_hybrid-midas-501f0c75.pt", files.midas_shapes, references.midas, (64, 96)),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_agrees_with_a_second_reading(kind: str, tmp_path: Path) -> None:
    """Weights of the true shapes under the true names, in half precision, answer as the plain functions do (1e-4).

    OpenPose's file is of torch's old kind, PiDiNet's holds its weights one level down, as both really do.
    """
    name, shapes, reference, size = NETWORKS[kind]
    tensors = {key: value.half() for key, value in files.weights(shapes()).items()}
    inside: dict[str, Any] = dict(tensors)
    if kind == "pidinet":
        inside = {"epoch": 19, "state_dict": {f"module.{key}": value for key, value in tensors.items()}}
    path = files.write(tmp_path / "annotators" / kind / name, inside, zipped=kind != "openpose")
    (file,) = found_in(tmp_path)
    assert (file.family, file.name) == (kind, path.stem)
    network = load_network(file, device=CPU)
    assert network.bytes == sum(weight.numel() * 4 for weight in network.network.parameters())
    pixels = torch.randint(0, 256, (2, 3, *size), generator=torch.Generator().manual_seed(3)).float()
    with torch.inference_mode():
        answer = network.network(pixels)
        wanted = reference({key: value.float() for key, value in tensors.items()}, pixels)
    answer = answer[:, 0] if kind == "midas" else answer
    assert answer.shape == wanted.shape
    assert wanted.std() > 0
    assert torch.allclose(answer, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


class Constant(nn.Module):
    """A network that answers what it was made with; what it was shown is kept."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = nn.Parameter(answer)
        self.shown = torch.zeros(0)

    def forward(self, pixels: Tensor) -> Tensor:
        """That answer, for each row."""
        self.shown = pixels
        return self.answer.expand(len(pixels), *self.answer.shape[1:])


def ramp(width: int = 64, height: int = 64) -> Tensor:
    """0 to 1 from left to right."""
    return torch.linspace(0, 1, width).expand(1, 1, height, width).contiguous()


def test_soft_edges_and_their_safe_steps() -> None:
    """HED's and PiDiNet's answers become levels by truncation; the safe kind has 0, 127 and 255 alone."""
    values = ramp()[0, 0].numpy()
    for plain, safe in (("softedge_hed", "softedge_hedsafe"), ("softedge_pidinet", "softedge_pidisafe")):
        edges = mapped(noise((64, 64)), plain, network=Constant(ramp()), resolution=64)
        assert (levels(edges)[:, :, 0] == (values * 255).astype(np.uint8)).all()
        stepped = levels(mapped(noise((64, 64)), safe, network=Constant(ramp()), resolution=64))[:, :, 0]
        assert (stepped == ((values * 3).astype(int) / 2 * 255).clip(0, 255).astype(np.uint8)).all()
        assert set(np.unique(stepped)) == {0, 127, 255}


def test_a_network_sees_whole_blocks_and_the_map_is_cropped() -> None:
    """Sides are padded to multiples of 64 by the edge; what was padded is not in the map."""
    network = Constant(torch.zeros(1, 1, 128, 192))
    annotation = mapped(noise((150, 100)), "softedge_hed", network=network, resolution=100)
    assert network.shown.shape == (1, 3, 128, 192)
    assert torch.equal(network.shown[..., 100:, :], network.shown[..., 99:100, :].expand(-1, -1, 28, -1))
    assert annotation.picture.size == (150, 100)


def test_scribble_from_edges() -> None:
    """Edges over the half become strokes of a broad pencil, in black and white."""
    edges = torch.zeros(1, 1, 64, 64)
    edges[:, :, 30:35] = 1
    for name in ("scribble_hed", "scribble_pidinet"):
        pixels = levels(mapped(noise((64, 64)), name, network=Constant(edges), resolution=64))
        assert set(np.unique(pixels)) == {0, 255}
        assert (pixels[32] == 255).all()
        assert not pixels[:10].any()


def test_depth_is_spread_from_black_to_white() -> None:
    """Near is white: the nearest place 255, the farthest 0, whatever numbers the network answers; one level alone is black."""
    for name in ("depth_midas", "depth_anything"):
        pixels = levels(mapped(noise((64, 64)), name, network=Constant(ramp() * 30 + 7), resolution=64))
        assert (pixels[:, 0] == 0).all()
        assert (pixels[:, -1] == 255).all()
        assert (np.diff(pixels[32, :, 0].astype(int)) >= 0).all()
        assert not levels(
            mapped(noise((64, 64)), name, network=Constant(torch.ones(1, 1, 64, 64)), resolution=64)
        ).any()


def test_normals_are_slopes_of_depth() -> None:
    """Sobel's slopes beside 2π towards us; what is farther than the threshold faces us, (128, 128, 255) read backwards."""
    depth = ramp() * 20
    pixels = levels(mapped(noise((64, 64)), "normal_midas", network=Constant(depth), resolution=64))
    slope = cv2.Sobel(depth[0, 0].numpy(), cv2.CV_32F, 1, 0, ksize=3)[32, 40]
    length = (slope**2 + (2 * np.pi) ** 2) ** 0.5
    wanted = [int(part / length * 127.5 + 127.5) for part in (2 * np.pi, 0, slope)]
    assert pixels[32, 40].tolist() == pytest.approx(wanted, abs=1)
    assert (pixels[:, :20] == (255, 127, 127)).all()
    near = levels(mapped(noise((64, 64)), "normal_midas", network=Constant(depth), resolution=64, threshold_a=0))
    assert near[32, 10].tolist() == pytest.approx(wanted, abs=1)


def test_segments_have_the_colours_of_their_kinds() -> None:
    """ADE20K's: 120, 120, 120 for walls, 6, 230, 230 for the sky, 4, 200, 3 for trees, 150, 5, 61 for people."""
    kinds = torch.zeros(1, 1, 64, 64)
    kinds[:, :, :16], kinds[:, :, 16:32], kinds[:, :, 32:48] = 2, 4, 12
    pixels = levels(mapped(noise((64, 64)), "seg_ufade20k", network=Constant(kinds), resolution=64))
    assert [pixels[row, 5].tolist() for row in (0, 20, 40, 60)] == [
        [6, 230, 230],
        [4, 200, 3],
        [150, 5, 61],
        [120, 120, 120],
    ]
    assert ADE20K.shape == (150, 3)
    assert ADE20K[149].tolist() == [92, 0, 255]


def test_straight_lines_are_read_from_their_middles() -> None:
    """A middle that is sure, and the ways to both ends, in halves of 512; sliders leave out the unsure and the short."""
    answer = torch.full((1, 9, 256, 256), -20.0)
    answer[:, 1:5] = 0
    for (row, column), heat, ways in (((100, 128), 3.0, (-50, 20, 60, -30)), ((200, 60), -1.0, (-2, 0, 2, 0))):
        answer[0, 0, row, column] = heat
        answer[0, 1:5, row, column] = torch.tensor(ways, dtype=torch.float32)

    def lit(**sliders: float) -> np.ndarray:
        return levels(mapped(noise((128, 64)), "mlsd", network=Constant(answer), resolution=64, **sliders))[:, :, 0]

    scale = np.array([128 / 512, 64 / 512])
    ends = [((128 - 50) * 2, (100 + 20) * 2), ((128 + 60) * 2, (100 - 30) * 2)]
    wanted = np.zeros((64, 128), np.uint8)
    first, last = ([int(place) for place in np.array(end) * scale] for end in ends)
    cv2.line(wanted, first, last, 255, 1)
    both = lit()
    assert (both[wanted > 0] == 255).all()
    assert both[50, 29:31].any()
    assert (lit(threshold_a=0.5) == wanted).all()
    assert (lit(threshold_b=10) == wanted).all()
    assert not lit(threshold_a=2.0).any()


def test_the_shipped_line_network_finds_a_house() -> None:
    """M-LSD as it comes with Easel: the long edges of a drawn house are found, and a blank picture has none."""
    shelf = Shelf(
        device=CPU, dtype=torch.float32, memory_limit=1 << 30, look=lambda: discover([PROJECT / "models"], PROJECT)
    )
    row = row_of(Preprocessor("mlsd"))
    assert row is not None
    network = shelf.annotator(row)
    picture = drawing((512, 512))
    cv_picture = np.asarray(picture).copy()
    cv2.rectangle(cv_picture, (250, 200), (480, 480), (120, 90, 70), -1)
    pixels = levels(mapped(Image.fromarray(cv_picture), "mlsd", network=network))[:, :, 0]
    near = cv2.dilate(pixels, np.ones((7, 7), np.uint8)) > 0
    for line in (near[200, 260:470], near[480, 260:470], near[210:470, 250], near[210:470, 480]):
        assert line.mean() > 0.8
    assert not levels(mapped(Image.new("RGB", (512, 512), "white"), "mlsd", network=network)).any()


def tiny_depth_anything() -> DepthAnythingForDepthEstimation:
    """Depth Anything in small."""
    backbone = Dinov2Config(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, image_size=28,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    return DepthAnythingForDepthEstimation(
        DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=32, neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
            head_hidden_size=8,
        )
    )  # fmt: skip


def tiny_dpt() -> DPTForDepthEstimation:
    """DPT in small, without a ResNet before it."""
    return DPTForDepthEstimation(
        DPTConfig(
            hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, image_size=64,
            backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
        )
    )  # fmt: skip


def tiny_segformer(kinds: int = 150) -> SegformerForSemanticSegmentation:
    """Segformer in small."""
    return SegformerForSemanticSegmentation(
        SegformerConfig(
            hidden_sizes=[8, 8, 8, 8], decoder_hidden_size=8, num_attention_heads=[1, 1, 1, 1], depths=[1, 1, 1, 1],
            num_labels=kinds,
        )
    )  # fmt: skip


def saved(model: Any, folder: Path, **notes: Any) -> Path:
    """`model` as a folder of transformers."""
    torch.manual_seed(1)
    model.save_pretrained(folder)
    if notes:
        (folder / "preprocessor_config.json").write_text(json.dumps(notes))
    return folder


def test_a_folder_of_depth_anything(tmp_path: Path) -> None:
    """It is known by its config, called by its folder, and looks at sides that its patches divide, normalised as it asks."""
    model = tiny_depth_anything().eval()
    saved(
        model,
        tmp_path / "annotators" / "Depth-Anything-V2-Small-hf",
        image_mean=[0.4, 0.5, 0.6],
        image_std=[0.2, 0.3, 0.4],
    )
    (file,) = found_in(tmp_path)
    assert (file.name, file.family) == ("Depth-Anything-V2-Small-hf", "depth_anything")
    pixels = torch.randint(0, 256, (2, 3, 56, 84), generator=torch.Generator().manual_seed(3)).float()
    mean, spread = (torch.tensor(three).view(1, 3, 1, 1) for three in ([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]))
    network = load_network(file, device=CPU).network
    with torch.inference_mode():
        answer = network(pixels)
        wanted = model((pixels / 255 - mean) / spread).predicted_depth
        odd = network(pixels[..., :50])
    assert torch.allclose(answer[:, 0], wanted, atol=1e-5)
    assert odd.shape == (2, 1, 56, 50)


def test_a_folder_of_dpt_looks_at_any_shape(tmp_path: Path) -> None:
    """At the square of its training it answers as transformers does; at others, which that refuses, as well."""
    model = tiny_dpt().eval()
    saved(model, tmp_path / "annotators" / "dpt")
    network = loaded(tmp_path)
    pixels = torch.randint(0, 256, (1, 3, 64, 64), generator=torch.Generator().manual_seed(3)).float()
    mean, spread = (torch.tensor(three).view(1, 3, 1, 1) for three in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.inference_mode():
        wanted = model((pixels / 255 - mean) / spread).predicted_depth
        assert torch.allclose(network(pixels)[:, 0], wanted, atol=1e-5)
        assert network(torch.cat((pixels, pixels), dim=3)).shape == (1, 1, 64, 128)
        assert network(torch.cat((pixels, pixels), dim=2)).shape == (1, 1, 128, 64)
        assert torch.allclose(network(pixels)[:, 0], wanted, atol=1e-5)


def test_a_folder_of_segformer(tmp_path: Path) -> None:
    """The likeliest of 150 kinds at every place of the picture."""
    model = tiny_segformer().eval()
    saved(model, tmp_path / "annotators" / "segformer")
    pixels = torch.randint(0, 256, (1, 3, 64, 96), generator=torch.Generator().manual_seed(3)).float()
    with torch.inference_mode():
        answer = loaded(tmp_path)(pixels)
    assert answer.shape == (1, 1, 64, 96)
    assert set(answer.unique().tolist()) <= set(map(float, range(150)))


def test_a_segmentation_of_other_kinds_is_refused(tmp_path: Path) -> None:
    """Nineteen kinds of a street are not ADE20K's: the sentence says what would be right."""
    saved(tiny_segformer(19), tmp_path / "annotators" / "street")
    with pytest.raises(Refused, match="knows 19 kinds of thing; one that was trained on ADE20K knows 150"):
        loaded(tmp_path)


def test_where_networks_are_looked_for(tmp_path: Path) -> None:
    """Easel's folder, Forge's and both of the webui's; a network among ControlNets is no ControlNet."""
    places = (
        "models/annotators",
        "models/ControlNetPreprocessor/hed",
        "models/ControlNet/annotator",
        "extensions/sd-webui-controlnet/annotator/downloads/hed",
    )
    tensors = files.weights({"norm": (1, 3, 1, 1), "block1.convs.0.weight": (1,), "block5.projection.weight": (1,)})
    for number, place in enumerate(places):
        files.write(tmp_path / place / f"{number}.pth", tensors)
    inventory = discover([tmp_path], tmp_path / "cache")
    assert [(file.name, file.family) for file in inventory.annotators] == [(str(number), "hed") for number in range(4)]
    assert inventory.controls == ()
    assert inventory.problems == ()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """A network that no preprocessor runs is listed as unknown and never used; one that hides code is a problem."""
    folder = tmp_path / "annotators"
    files.write(folder / "zoe.pth", {"core.weight": torch.ones(2)})
    saved(tiny_segformer(), folder / "other")
    (folder / "other" / "config.json").write_text(json.dumps({"architectures": ["SomethingElse"]}))
    write_hostile_checkpoint(folder / "evil.pth", tmp_path / "marker")
    inventory = discover([tmp_path], tmp_path / "cache")
    assert [(file.name, file.family) for file in inventory.annotators] == [("other", "unknown"), ("zoe", "unknown")]
    (problem,) = inventory.problems
    assert "evil.pth is refused" in problem.sentence
    assert not (tmp_path / "marker").exists()
    assert not any(row.networks for row in usable(PREPROCESSORS, inventory))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda tensors: tensors.pop("block3.convs.1.bias"), "is not whole: it lacks block3.convs.1.bias"),
        (lambda tensors: tensors.update({"block2.convs.0.weight": torch.ones(1, 1, 3, 3)}), "is of another shape"),
    ],
)
def test_a_damaged_network_is_refused(spoil: Callable[[dict[str, Tensor]], Any], words: str, tmp_path: Path) -> None:
    """What lacks a weight, or has one of another shape, is refused by name."""
    tensors = {name: torch.zeros(shape) for name, shape in files.hed_shapes().items()}
    spoil(tensors)
    files.write(tmp_path / "annotators" / "broken.safetensors", tensors)
    with pytest.raises(Refused, match=rf"broken\.safetensors {words}"):
        loaded(tmp_path)


def test_a_midas_of_other_shapes_or_half_of_one(tmp_path: Path) -> None:
    """The marks of MiDaS without the rest are a sentence, not a traceback."""
    marks = {name: torch.ones(1) for name in KINDS["midas"].marks}
    files.write(tmp_path / "annotators" / "half.pt", marks)
    with pytest.raises(Refused, match=r"half\.pt is no MiDaS"):
        loaded(tmp_path)


def test_the_shelf_lends_the_best_and_forgets(tmp_path: Path) -> None:
    """One network serves many maps; it is looked for anew when it is missing, and is given up when memory is short."""
    row = row_of(Preprocessor("softedge_hed"))
    assert row is not None
    shelf = Shelf(
        device=CPU, dtype=torch.float32, memory_limit=1 << 30, look=lambda: discover([tmp_path], tmp_path / "cache")
    )
    with pytest.raises(
        Refused,
        match=r"“Soft edges \(HED\)” needs a network that is not here.*ControlNetHED\.pth.*models/annotators\.$",
    ):
        shelf.annotator(row)
    files.write(tmp_path / "annotators" / "hed.safetensors", files.weights(files.hed_shapes()))
    network = shelf.annotator(row)
    assert shelf.annotator(row) is network
    assert shelf.free()
    assert not shelf.free()
    assert shelf.annotator(row) is not network


def test_openposes_own_network_goes_before_movenet() -> None:
    """Where the operator has put OpenPose's file, it is used."""
    row = row_of(Preprocessor("openpose"))
    assert row is not None
    small, large = (ModelFile(kind, f"models/annotators/{kind}", "", kind) for kind in ("movenet", "openpose"))
    assert network_for(row, Inventory(annotators=(small,))) is small
    assert network_for(row, Inventory(annotators=(small, large))) is large
    assert network_for(row, Inventory()) is None


def test_what_can_run_here() -> None:
    """Preprocessors without networks always, others where their file is."""
    alone = usable(PREPROCESSORS, Inventory())
    assert {"none", "canny", "scribble_xdog"} <= {row.id for row in alone}
    assert all(not row.networks for row in alone)
    midas = Inventory(annotators=(ModelFile("dpt", "x", "", "midas"),))
    assert [row.id for row in usable(PREPROCESSORS, midas) if row not in alone and "depth" in row.controls] == [
        "depth_midas"
    ]


def test_a_network_is_asked_through_the_loop() -> None:
    """A preprocessor with a network never runs it itself: it yields the work, with what it costs."""
    network = Constant(torch.zeros(1, 1, 512, 512))
    asking = annotate(noise((64, 64)), Preprocessor("softedge_hed"), shelf=OneNetwork(network))
    wanted = next(asking)
    assert isinstance(wanted, Apply)
    assert wanted.network is network
    assert wanted.cost > 100
    assert network.shown.numel() == 0
