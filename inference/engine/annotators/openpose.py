"""OpenPose's body network (Cao et al. 2017): heat maps of joints and fields along limbs, refined over six stages.

Owns the architecture, under the layer names of `body_pose_model.pth`. How people are put together from its answer is
`parts`' business.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FIELDS, HEATMAPS = 38, 19
STAGES = 6
_FEATURES = 128
_TRUNK: tuple[tuple[str, int, int] | None, ...] = (
    ("conv1_1", 3, 64),
    ("conv1_2", 64, 64),
    None,
    ("conv2_1", 64, 128),
    ("conv2_2", 128, 128),
    None,
    ("conv3_1", 128, 256),
    ("conv3_2", 256, 256),
    ("conv3_3", 256, 256),
    ("conv3_4", 256, 256),
    None,
    ("conv4_1", 256, 512),
    ("conv4_2", 512, 512),
    ("conv4_3_CPM", 512, 256),
    ("conv4_4_CPM", 256, _FEATURES),
)
"""VGG-19's beginning: name, channels in and out; None halves both sides."""


class BodyPose(nn.Module):
    """Finds the joints and limbs of everybody in a picture."""

    def __init__(self) -> None:
        super().__init__()
        for layer in _TRUNK:
            if layer is not None:
                self.add_module(layer[0], nn.Conv2d(layer[1], layer[2], 3, padding=1))
        self._branches = {
            (stage, branch): _branch(stage, branch, out)
            for stage in range(1, STAGES + 1)
            for branch, out in (("L1", FIELDS), ("L2", HEATMAPS))
        }
        for layers in self._branches.values():
            for name, (before, after, kernel) in layers.items():
                self.add_module(name, nn.Conv2d(before, after, kernel, padding=kernel // 2))

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) RGB, 0 to 255, sides multiples of 8, to (N, 38 + 19, H/8, W/8): fields, then heat maps."""
        x = pixels.flip(1) / 256 - 0.5
        for layer in _TRUNK:
            x = F.max_pool2d(x, 2) if layer is None else F.relu(self.get_submodule(layer[0])(x))
        seen = x
        for stage in range(1, STAGES + 1):
            x = torch.cat((self._walk(stage, "L1", x), self._walk(stage, "L2", x), seen), dim=1)
        return x[:, : FIELDS + HEATMAPS]

    def _walk(self, stage: int, branch: str, x: Tensor) -> Tensor:
        *inner, last = self._branches[stage, branch]
        for name in inner:
            x = F.relu(self.get_submodule(name)(x))
        return self.get_submodule(last)(x)


def _branch(stage: int, branch: str, out: int) -> dict[str, tuple[int, int, int]]:
    """Layers of one of the two branches of a stage, by name: channels in and out, and the kernel's side."""
    if stage == 1:
        names = [f"conv5_{number}_CPM_{branch}" for number in range(1, 6)]
        shapes = [(_FEATURES, _FEATURES, 3)] * 3 + [(_FEATURES, 512, 1), (512, out, 1)]
    else:
        names = [f"Mconv{number}_stage{stage}_{branch}" for number in range(1, 8)]
        first = FIELDS + HEATMAPS + _FEATURES
        shapes = [(first, 128, 7)] + [(128, 128, 7)] * 4 + [(128, 128, 1), (128, out, 1)]
    return dict(zip(names, shapes, strict=True))
