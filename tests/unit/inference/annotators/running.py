"""Shared parts of the tests of preprocessors: pictures, and a driver that answers what a generator asks for."""

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn

from inference.api.control import Preprocessor
from inference.api.preprocessors import PreprocessorRow
from inference.engine.annotators.annotate import annotate
from inference.engine.annotators.annotation import Annotation
from inference.engine.forward import Forwards
from inference.engine.work import Apply


class NoNetworks:
    """A shelf that must not be asked."""

    def annotator(self, row: PreprocessorRow) -> nn.Module:
        """Raise AssertionError: the preprocessor needs no network."""
        raise AssertionError(row.id)


class OneNetwork:
    """A shelf with one network."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def annotator(self, row: PreprocessorRow) -> nn.Module:
        """That network, whatever is asked for."""
        del row
        return self.network


def answered(asking: Generator[Apply, Any, Any]) -> Any:
    """What `asking` returns when its networks are run as the loop runs them, one at a time."""
    forwards, answer = Forwards(), None
    with torch.inference_mode():
        while True:
            try:
                wanted = asking.send(answer)
            except StopIteration as end:
                return end.value
            answer = forwards.apply(wanted.network, [wanted.inputs])


def mapped(picture: Image.Image, id: str, *, network: nn.Module | None = None, **how: Any) -> Annotation:  # noqa: A002
    """The map of `picture` by preprocessor `id`; `how` are the preprocessor's settings, and size, resize_mode and mask."""
    outside = {name: how.pop(name) for name in ("size", "resize_mode", "mask") if name in how}
    shelf = NoNetworks() if network is None else OneNetwork(network)
    return answered(annotate(picture, Preprocessor(id, **how), shelf=shelf, **outside))


def levels(annotation: Annotation) -> np.ndarray:
    """(H, W, 3), 0 to 255."""
    return np.asarray(annotation.picture)


def drawing(size: tuple[int, int] = (256, 192)) -> Image.Image:
    """Dark strokes and a red disc on white paper."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    draw.line((20, 20, 200, 150), fill="black", width=5)
    draw.line((30, 160, 180, 40), fill=(40, 60, 90), width=3)
    draw.ellipse((190, 90, 240, 140), fill=(200, 30, 40))
    return picture


def noise(size: tuple[int, int] = (96, 64), *, seed: int = 0) -> Image.Image:
    """A picture in which no two places are alike."""
    chance = np.random.default_rng(seed)
    return Image.fromarray(chance.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
