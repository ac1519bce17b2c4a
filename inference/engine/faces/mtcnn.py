"""MTCNN: three small networks that find faces and five landmarks (Zhang et al. 2016, "Joint Face Detection and Alignment …").

Layers as in facenet-pytorch, whose weights (MIT) ship with Easel. Owns their shapes; `detection` owns the cascade.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALL, LARGE = 24, 48
"""Sides of the crops that the second and the third network see."""


class MTCNN(nn.Module):
    """The networks under the names of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = ProposalNet(), RefinementNet(), OutputNet()


class ProposalNet(nn.Module):
    """Looks at every place of a picture at once: (1, 3, H, W) in [-1, 1] to (1, 5, h, w), a score and four shifts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """As the class says; a place is a square of 12 pixels, every second pixel."""
        x = F.max_pool2d(self.prelu1(self.conv1(picture)), 2, 2, ceil_mode=True)
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return torch.cat((self.conv4_1(x).softmax(dim=1)[:, 1:], self.conv4_2(x)), dim=1)


class RefinementNet(nn.Module):
    """Looks at crops again: (1, N, 3, 24, 24) to (1, N, 5), a score and four shifts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1, self.dense5_2 = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, crops: Tensor) -> Tensor:
        """As the class says."""
        x = crops.flatten(0, 1)
        x = F.max_pool2d(self.prelu1(self.conv1(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.prelu2(self.conv2(x)), 3, 2, ceil_mode=True)
        x = self.prelu4(self.dense4(_flattened(self.prelu3(self.conv3(x)))))
        answer = torch.cat((self.dense5_1(x).softmax(dim=1)[:, 1:], self.dense5_2(x)), dim=1)
        return answer.unflatten(0, crops.shape[:2])


class OutputNet(nn.Module):
    """Decides: (1, N, 3, 48, 48) to (1, N, 15), a score, four shifts, and five landmarks (x of all, then y) in the crop."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2, self.dense6_3 = nn.Linear(256, 2), nn.Linear(256, 4), nn.Linear(256, 10)

    def forward(self, crops: Tensor) -> Tensor:
        """As the class says."""
        x = crops.flatten(0, 1)
        x = F.max_pool2d(self.prelu1(self.conv1(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.prelu2(self.conv2(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.prelu3(self.conv3(x)), 2, 2, ceil_mode=True)
        x = self.prelu5(self.dense5(_flattened(self.prelu4(self.conv4(x)))))
        parts = self.dense6_1(x).softmax(dim=1)[:, 1:], self.dense6_2(x), self.dense6_3(x)
        return torch.cat(parts, dim=1).unflatten(0, crops.shape[:2])


def _flattened(x: Tensor) -> Tensor:
    """(N, C, h, w) in the order in which the dense layers were trained: across, down, channels."""
    return x.permute(0, 3, 2, 1).flatten(1)
