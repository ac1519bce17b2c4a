"""Two photographs, and the shipped detector.

`astronaut.jpg` is a part of NASA's portrait of Eileen Collins (public domain), `cat.jpg` of Stéfan van der Walt's photograph of
Chelsea (CC0); both as distributed with scikit-image.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from bot.settings import PROJECT
from inference.api.result import ModelFile
from inference.engine.annotators.networks import load_network
from inference.engine.faces.mtcnn import MTCNN

HERE = Path(__file__).parent
DETECTOR = PROJECT / "models" / "annotators" / "mtcnn.fp16.safetensors"


def photograph(name: str) -> Image.Image:
    """A picture of 256 × 256 pixels, RGB."""
    with Image.open(HERE / f"{name}.jpg") as opened:
        return opened.convert("RGB")


@pytest.fixture
def astronaut() -> Image.Image:
    """One face, which looks at you."""
    return photograph("astronaut")


@pytest.fixture
def cat() -> Image.Image:
    """A face, but a cat's."""
    return photograph("cat")


@pytest.fixture(scope="session")
def detector() -> MTCNN:
    """The network that ships with Easel."""
    network = load_network(ModelFile("mtcnn", str(DETECTOR), "", "mtcnn"), device=torch.device("cpu")).network
    assert isinstance(network, MTCNN)
    return network


@pytest.fixture
def drive() -> Callable[[Any], Any]:
    """Run a generator that asks for nothing but networks, at once."""

    def driven(painting: Any) -> Any:
        answer: Any = None
        with torch.inference_mode():
            while True:
                try:
                    wanted = painting.send(answer)
                except StopIteration as end:
                    return end.value
                answer = wanted.network(*wanted.inputs)

    return driven
