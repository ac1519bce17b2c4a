"""The pose of the people in a picture, by whichever network is here: OpenPose's finds everybody, MoveNet one person.

Owns what is said where nobody is found. Refuses to know the networks' insides.
"""

from collections.abc import Generator
from typing import Any

from torch import Tensor, nn

from inference.engine.annotators.annotation import Chosen, Pixels, Traced, tensor_of
from inference.engine.annotators.movenet import MoveNet, around, joints_in, squared
from inference.engine.annotators.openpose import FIELDS
from inference.engine.annotators.parts import looked_at, people_in, spread
from inference.engine.annotators.pose import Person, drawn
from inference.engine.work import Apply

NOBODY = "No person was found in the control picture, so its pose is empty; one seen from head to foot is found best."
_PIXEL_COST = 0.9 / 64
"""Latent pixels through the UNet that a pixel costs OpenPose, by operations."""
_SQUARE_COST = 5.0
"""The same for MoveNet's whole square."""
_MIN_JOINTS = 4
"""As for OpenPose: fewer are nobody."""

Finding = Generator[Apply, Any, list[Person]]


def pose(pixels: Pixels, _: Chosen, network: nn.Module) -> Generator[Apply, Any, Traced]:
    """Everybody who was found, drawn as OpenPose draws them, on black."""
    found = yield from (_one(pixels, network) if isinstance(network, MoveNet) else _everybody(pixels, network))
    size = pixels.shape[1], pixels.shape[0]
    return Traced(drawn(found, size), () if found else (NOBODY,))


def _one(pixels: Pixels, network: nn.Module) -> Finding:
    """One person; somebody small in a large picture is looked at a second time, from closer by."""
    person, sure = yield from _look(pixels, network)
    box = around(person, (pixels.shape[1], pixels.shape[0]))
    if box is not None:
        left, top, right, bottom = box
        closer, surer = yield from _look(pixels[top:bottom, left:right], network)
        if surer > sure:
            person = [None if joint is None else (joint[0] + left, joint[1] + top) for joint in closer]
    return [person] if sum(joint is not None for joint in person) >= _MIN_JOINTS else []


def _look(pixels: Pixels, network: nn.Module) -> Generator[Apply, Any, tuple[Person, float]]:
    """Whom MoveNet sees in `pixels`, and how sure it is on the whole."""
    answer: Tensor = yield Apply(network, (tensor_of(squared(pixels)),), cost=_SQUARE_COST)
    found = answer[0].float().cpu()
    return joints_in(found, (pixels.shape[1], pixels.shape[0])), float(found[:, 2].mean())


def _everybody(pixels: Pixels, network: nn.Module) -> Finding:
    seen, size = looked_at(pixels)
    answer: Tensor = yield Apply(network, (tensor_of(seen),), cost=_PIXEL_COST * seen.shape[0] * seen.shape[1])
    maps = spread(answer[0].float().cpu().numpy(), size, pixels.shape[:2])
    return people_in(maps[:, :, FIELDS:], maps[:, :, :FIELDS])
