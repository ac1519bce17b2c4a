"""Poses: the drawing that ControlNets know, people put together from heat maps and fields, and MoveNet as it ships."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from bot.settings import PROJECT
from inference.engine.annotators.graph import Graph, Node, read_nodes
from inference.engine.annotators.movenet import MoveNet, joints_in, load_movenet, squared
from inference.engine.annotators.openpose import BodyPose
from inference.engine.annotators.parts import looked_at, people_in, spread
from inference.engine.annotators.people import NOBODY
from inference.engine.annotators.pose import COLOURS, LIMBS, Joint, drawn, from_coco
from inference.engine.bad_file import BadFile
from tests.unit.inference.annotators.running import levels, mapped

MOVENET = PROJECT / "models" / "annotators" / "movenet-lightning.fp16.safetensors"
STANDING: list[Joint] = [
    (100, 30), (100, 60), (80, 60), (70, 95), (66, 125), (120, 60), (130, 95), (134, 125), (88, 130),
    (86, 175), (85, 215), (112, 130), (114, 175), (115, 215), (95, 25), (105, 25), (90, 28), (110, 28),
]  # fmt: skip
"""Eighteen joints of somebody who stands upright."""


def test_limbs_and_colours_are_openposes() -> None:
    """Seventeen limbs in the published order; eighteen colours around the hue wheel, red first."""
    assert [(one + 1, other + 1) for one, other in LIMBS] == [
        (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13), (13, 14),
        (2, 1), (1, 15), (15, 17), (1, 16), (16, 18),
    ]  # fmt: skip
    assert len(set(COLOURS)) == 18
    assert all(max(colour) == 255 and min(colour) == 0 for colour in COLOURS)
    assert COLOURS[:4] == ((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0))


def test_the_drawing() -> None:
    """Limbs are ellipses of half-width 4 at 0.6 of their colour, joints discs of radius 4 above them, all else black."""
    person: list[Joint | None] = [None] * 18
    person[2], person[3] = (30.0, 50.0), (90.0, 50.0)
    pixels = drawn([person], (128, 96))
    limb = COLOURS[LIMBS.index((2, 3))]
    shade = tuple(int(level * 0.6) for level in limb)
    assert tuple(pixels[50, 60]) == shade
    rows = np.nonzero((pixels[:, 60] == shade).all(axis=1))[0]
    assert (rows.min(), rows.max()) == (46, 54)
    for joint, number in ((person[2], 2), (person[3], 3)):
        assert joint is not None
        where = (pixels == COLOURS[number]).all(axis=2)
        assert where[int(joint[1]), int(joint[0])]
        assert where.sum() == sum(x * x + y * y <= 16 for x in range(-4, 5) for y in range(-4, 5))
    colours = {tuple(int(level) for level in pixel) for pixel in pixels.reshape(-1, 3)}
    assert colours == {(0, 0, 0), shade, COLOURS[2], COLOURS[3]}


def test_coco_keypoints_become_joints() -> None:
    """The neck is half-way between the shoulders, and absent where one of them is; left and right stay."""
    coco: list[Joint | None] = [(float(place), 2.0 * place) for place in range(17)]
    joints = from_coco(coco)
    assert joints[0] == (0, 0)
    assert joints[1] == (5.5, 11)
    assert [joints[place] for place in (2, 5, 8, 11, 14, 15, 16, 17)] == [coco[at] for at in (6, 5, 12, 11, 2, 1, 4, 3)]
    coco[6] = None
    assert from_coco(coco)[1] is None


def fields_of(*people: list[Joint], size: tuple[int, int] = (240, 240)) -> tuple[np.ndarray, np.ndarray]:
    """Heat maps (H, W, 19) and fields (H, W, 38) that show `people`, as the network was trained to answer."""
    pairs = [
        (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 2), (2, 3), (3, 4), (2, 16),
        (1, 5), (5, 6), (6, 7), (5, 17), (1, 0), (0, 14), (0, 15), (14, 16), (15, 17),
    ]  # fmt: skip
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]]
    heat, fields = np.zeros((size[1], size[0], 19)), np.zeros((size[1], size[0], 38))
    for person in people:
        for joint, (x, y) in enumerate(person):
            bump = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * 7.0**2))
            heat[:, :, joint] = np.maximum(heat[:, :, joint], bump)
        for channel, (start, end) in enumerate(pairs):
            way = np.subtract(person[end], person[start])
            length = np.hypot(*way)
            unit = way / length
            along = (xs - person[start][0]) * unit[0] + (ys - person[start][1]) * unit[1]
            across = abs((xs - person[start][0]) * unit[1] - (ys - person[start][1]) * unit[0])
            inside = (along >= -3) & (along <= length + 3) & (across <= 5)
            fields[inside, 2 * channel], fields[inside, 2 * channel + 1] = unit
    return heat, fields


def moved(person: list[Joint], by: float) -> list[Joint]:
    """`person` further to the right."""
    return [(x + by, y) for x, y in person]


def test_one_person_is_put_together() -> None:
    """All eighteen joints come back within a pixel."""
    (found,) = people_in(*fields_of(STANDING))
    for joint, wanted in zip(found, STANDING, strict=True):
        assert joint is not None
        assert np.hypot(joint[0] - wanted[0], joint[1] - wanted[1]) <= 1.5


def test_two_people_stay_apart() -> None:
    """Joints go to whom the fields lead, not to whoever is nearest."""
    left, right = moved(STANDING, -40), moved(STANDING, 60)
    people = people_in(*fields_of(left, right))
    assert len(people) == 2
    for person in people:
        across = [joint[0] for joint in person if joint is not None]
        assert len(across) == 18
        assert max(across) - min(across) < 80


def test_fewer_than_four_joints_are_nobody() -> None:
    """Three joints with limbs between them, or heat without fields, are not drawn."""
    heat, fields = fields_of(STANDING)
    few = heat.copy()
    few[:, :, [joint for joint in range(18) if joint not in (1, 2, 3)]] = 0
    assert people_in(few, fields) == []
    assert people_in(heat, np.zeros_like(fields)) == []
    assert people_in(np.zeros_like(heat), fields) == []


def test_what_openpose_sees() -> None:
    """Half of 368 pixels high, padded to eights with grey, and its answer spread over the whole picture again."""
    pixels = np.zeros((512, 300, 3), np.uint8)
    seen, size = looked_at(pixels)
    assert size == (184, 108)
    assert seen.shape == (184, 112, 3)
    assert (seen[:, 108:] == 128).all()
    answer = np.zeros((2, 23, 14), np.float32)
    answer[0, 11, 6] = 1
    maps = spread(answer, size, (512, 300))
    assert maps.shape == (512, 300, 2)
    row, column = np.unravel_index(maps[:, :, 0].argmax(), maps.shape[:2])
    assert row == pytest.approx(11.5 * 8 * 512 / 184, abs=3)
    assert column == pytest.approx(6.5 * 8 * 300 / 108, abs=3)


class Answering(BodyPose):
    """OpenPose's network that has seen `people`, whatever it is shown; what it was shown is kept."""

    def __init__(self, *people: list[Joint], size: tuple[int, int]) -> None:
        super().__init__()
        self.people, self.size = people, size
        self.shown = torch.zeros(0)

    def forward(self, pixels: Tensor) -> Tensor:
        """Fields and heat maps at an eighth of the size."""
        self.shown = pixels
        height, width = pixels.shape[2] // 8, pixels.shape[3] // 8
        scale = pixels.shape[3] / self.size[0]
        people = [[(x * scale, y * scale) for x, y in person] for person in self.people]
        heat, fields = fields_of(*people, size=(pixels.shape[3], pixels.shape[2]))
        small = np.concatenate((fields, heat), axis=2).reshape(height, 8, width, 8, -1).mean(axis=(1, 3))
        return torch.from_numpy(small).permute(2, 0, 1)[None].float()


def test_openpose_draws_everybody() -> None:
    """From the picture through the network to the drawing: both people, where they stand, at the map's own size."""
    size = (256, 256)
    network = Answering(moved(STANDING, -40), moved(STANDING, 60), size=size)
    annotation = mapped(Image.new("RGB", size, "white"), "openpose", network=network)
    assert annotation.picture.size == (512, 512)
    assert annotation.notes == ()
    assert network.shown.shape == (1, 3, 184, 184)
    pixels = levels(annotation)
    for person in (moved(STANDING, -40), moved(STANDING, 60)):
        for joint in (4, 7, 10, 13):
            x, y = (int(2 * place) for place in person[joint])
            near = pixels[y - 6 : y + 7, x - 6 : x + 7].reshape(-1, 3)
            assert (near == COLOURS[joint]).all(axis=1).any(), joint


def test_nobody_is_said() -> None:
    """Where nobody is found the map is black and a note says so, for either network."""
    for network in (Answering(size=(64, 64)), load_movenet(MOVENET)):
        annotation = mapped(Image.new("RGB", (64, 64), "white"), "openpose", network=network)
        assert annotation.notes == (NOBODY,)
        assert not levels(annotation).any()


def figure(size: tuple[int, int], *, left: int, top: int, scale: float) -> Image.Image:
    """A painted figure with head, trunk and limbs, standing on grass."""
    picture = Image.new("RGB", size, (150, 190, 230))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, size[1] * 3 // 4, *size), fill=(110, 150, 90))

    def at(*places: float) -> list[tuple[float, float]]:
        return [(left + x * scale, top + y * scale) for x, y in zip(places[::2], places[1::2], strict=True)]

    skin, shirt, trousers = (224, 172, 140), (180, 40, 50), (40, 50, 110)
    width = max(1, int(13 * scale))
    for limb, colour in (
        ((34, 62, 22, 95, 18, 128), skin),
        ((66, 62, 78, 95, 82, 128), skin),
        ((42, 125, 40, 170, 38, 212), trousers),
        ((58, 125, 60, 170, 62, 212), trousers),
    ):
        draw.line(at(*limb), fill=colour, width=width, joint="curve")
    draw.rounded_rectangle([*at(32, 54)[0], *at(68, 130)[0]], radius=6 * scale, fill=shirt)
    draw.ellipse([*at(39, 12)[0], *at(61, 44)[0]], fill=skin)
    draw.rectangle([*at(46, 42)[0], *at(54, 56)[0]], fill=skin)
    draw.pieslice([*at(38, 8)[0], *at(62, 36)[0]], 180, 360, fill=(70, 40, 20))
    for x in (46, 54):
        draw.ellipse([*at(x - 1.5, 26)[0], *at(x + 1.5, 29)[0]], fill=(20, 20, 20))
    draw.ellipse([*at(32, 210)[0], *at(44, 218)[0]], fill=(30, 30, 30))
    draw.ellipse([*at(56, 210)[0], *at(68, 218)[0]], fill=(30, 30, 30))
    return picture


@pytest.mark.parametrize(
    ("size", "left", "top", "scale"), [((320, 320), 80, 30, 1.2), ((480, 320), 190, 40, 1.1), ((256, 400), 60, 60, 1.3)]
)
def test_movenet_finds_a_painted_figure(size: tuple[int, int], left: int, top: int, scale: float) -> None:
    """The network that ships finds shoulders, hips and knees near where they were painted, whatever the picture's shape."""
    square = squared(np.asarray(figure(size, left=left, top=top, scale=scale)))
    with torch.inference_mode():
        answer = load_movenet(MOVENET)(torch.from_numpy(square.copy()).permute(2, 0, 1)[None].float())[0]
    person = joints_in(answer, size)
    found = 0
    painted = {
        2: (36, 62),
        5: (64, 62),
        8: (42, 125),
        11: (58, 125),
        9: (40, 170),
        12: (60, 170),
        10: (38, 210),
        13: (62, 210),
    }
    for joint, (x, y) in painted.items():
        place = person[joint]
        if place is not None:
            found += np.hypot(place[0] - left - x * scale, place[1] - top - y * scale) < 18 * scale
    assert found >= 6, person


def test_somebody_small_is_looked_at_again() -> None:
    """In a corner of a large picture the second look finds each joint within a tenth of the figure; a large one has no need."""
    left, top, scale = 500, 300, 0.8
    picture = figure((800, 600), left=left, top=top, scale=scale)
    counted = Counting(load_movenet(MOVENET).graph)
    pixels = levels(mapped(picture, "openpose", network=counted, resolution=600))
    assert counted.calls == 2
    for joint, (x, y) in {2: (36, 62), 5: (64, 62), 8: (42, 125), 11: (58, 125), 9: (40, 170), 12: (60, 170)}.items():
        rows, columns = np.nonzero((pixels == COLOURS[joint]).all(axis=2))
        away = np.hypot(columns.mean() - left - x * scale, rows.mean() - top - y * scale)
        assert away < 12 * scale, (joint, away)
    counted.calls = 0
    mapped(figure((320, 320), left=80, top=30, scale=1.2), "openpose", network=counted)
    assert counted.calls == 1


class Counting(MoveNet):
    """MoveNet that counts how often it is asked."""

    calls = 0

    def forward(self, squares: Tensor) -> Tensor:
        """Count, then answer."""
        self.calls += 1
        return super().forward(squares)


def test_movenets_answers_are_independent() -> None:
    """Pictures of a batch are answered as if each were alone."""
    network = load_movenet(MOVENET)
    squares = torch.randint(0, 256, (2, 3, 192, 192), generator=torch.Generator().manual_seed(1)).float()
    with torch.inference_mode():
        assert torch.equal(network(squares), torch.cat([network(row[None]) for row in squares]))


def test_the_square_and_back() -> None:
    """A long picture lies in the middle of its square, and joints come back to where they were in it."""
    pixels = np.full((100, 300, 3), 200, np.uint8)
    square = squared(pixels)
    assert square.shape == (192, 192, 3)
    assert (square[64:128] == 200).all()
    assert not square[:63].any()
    answer = torch.zeros(17, 3)
    answer[:, 0], answer[:, 1], answer[:, 2] = 0.5, 0.25, 0.9
    answer[3:, 2] = 0.29
    person = joints_in(answer, (300, 100))
    assert person[0] == pytest.approx((75, 50))
    assert person[2] is None


def test_a_graph_that_cannot_be_run_is_refused() -> None:
    """An operation that is not known, a step that is missing, a circle, or no graph at all: each is a sentence."""
    for nodes, words in (
        ([{"name": "a", "op": "Placeholder"}, {"name": "b", "op": "PyFunc", "input": ["a"]}], "PyFunc"),
        ([{"name": "a", "op": "Const"}], "cannot run"),
        ([{"name": "b", "op": "Sqrt", "input": ["a"]}], "missing"),
        ([{"name": "a", "op": "Sqrt", "input": ["b"]}, {"name": "b", "op": "Sqrt", "input": ["a"]}], "cannot be read"),
        ([], "missing"),
        ({"a": 1}, "cannot be read"),
    ):
        with pytest.raises(BadFile, match=words):
            Graph(read_nodes(json.dumps(nodes)), {})


def test_a_graphs_operations() -> None:
    """Padding SAME puts the odd pixel at the end, and a fused bias and ReLU6 follow the convolution."""
    nodes = (
        Node("x", "Placeholder"),
        Node("k", "Const"),
        Node("b", "Const"),
        Node(
            "y",
            "_FusedConv2D",
            ("x", "k", "b"),
            {"strides": [2, 2], "padding": "SAME", "fused_ops": ["BiasAdd", "Relu6"]},
        ),
    )
    picture = torch.arange(16.0).reshape(1, 4, 4, 1)
    graph = Graph(nodes, {"k": torch.ones(3, 3, 1, 1), "b": torch.tensor([-40.0])})
    sums = torch.nn.functional.conv2d(
        torch.nn.functional.pad(picture[..., 0], (0, 1, 0, 1))[None], torch.ones(1, 1, 3, 3), stride=2
    )
    assert torch.equal(graph(picture)[0, :, :, 0], (sums[0, 0] - 40).clamp(0, 6))


def test_the_shipped_file_is_small() -> None:
    """Under five megabytes, as a repository can carry; what it is stands in its notes."""
    data = io.BytesIO(MOVENET.read_bytes())
    assert len(data.getvalue()) < 5_000_000
    assert b"Apache-2.0" in data.getvalue()[:70_000]
    assert isinstance(load_movenet(MOVENET), MoveNet)
