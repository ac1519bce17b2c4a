"""Hires fix and img2img through networks of every kind, as whole jobs in the real loop."""

import io
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from inference.api.errors import FailureCode
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Guidance,
    Hires,
    ModelRef,
    Prompt,
    Sampling,
    Seeds,
    SourcePicture,
)
from inference.api.wire import EngineSettings, Event, Failed, Finished, Progress, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from inference.engine.upscalers.ldsr import Ldsr
from tests.checkpoints import write_tiny_checkpoint
from tests.unit.inference.upscalers.files import named, rrdb, saved, write_ldsr

KEY = "0" * 64
BARE = GenerationRequest(
    prompt=Prompt("a fox"),
    canvas=Canvas(64, 64),
    seeds=Seeds(7),
    model=ModelRef("tiny", vae="None"),
    sampling=Sampling(sampler="euler", steps=2),
    guidance=Guidance(cfg_scale=3.0),
)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A tiny checkpoint, an RRDB that quadruples, one that hides code, and LDSR in two steps."""
    root = tmp_path_factory.mktemp("models")
    write_tiny_checkpoint(root / "Stable-diffusion" / "tiny.safetensors")
    saved(named(rrdb().state_dict(), "old"), root / "ESRGAN" / "4x_Old.pth")
    saved({"params": named(rrdb().state_dict(), "new"), "run": Path("/")}, root / "ESRGAN" / "evil.pth")
    write_ldsr(root / "LDSR")
    found = Studio(EngineSettings(roots=(str(root),), cache=str(tmp_path_factory.mktemp("cache")), device="cpu"))
    ldsr = found._shelf.upscaler("LDSR")
    assert isinstance(ldsr, Ldsr)
    ldsr.steps = 2
    return found


def run(studio: Studio, request: GenerationRequest, attachments: dict[str, bytes] | None = None) -> list[Event]:
    """All events of a job."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(1, request, attachments=attachments or {}))
    while engine.running:
        engine.turn()
    return events


def painted(studio: Studio, request: GenerationRequest, attachments: dict[str, bytes] | None = None) -> np.ndarray:
    """Its picture; the calls that were promised were made."""
    events = run(studio, request, attachments)
    assert isinstance(events[-1], Finished), events[-1]
    told = [event for event in events if isinstance(event, Progress)]
    assert told[-1].done == told[-1].total
    with Image.open(io.BytesIO(events[-1].images[0].data)) as image:
        return np.asarray(image).astype(int)


@pytest.mark.parametrize("upscaler", ["4x_Old", "LDSR"])
def test_hires_fix_grows_through_a_network(studio: Studio, upscaler: str) -> None:
    """The second pass begins from what the network made of the first: another picture than Lanczos leads to, of the same size."""
    pictures = [
        painted(studio, replace(BARE, hires=Hires(scale=1.5, upscaler=name, denoising_strength=0.4)))
        for name in (upscaler, "lanczos")
    ]
    assert pictures[0].shape == pictures[1].shape == (96, 96, 3)
    assert np.abs(pictures[0] - pictures[1]).max() > 4


def test_img2img_grows_a_small_source_through_a_network(studio: Studio) -> None:
    """The upscaler for img2img is asked where the source is smaller than the canvas, and not where it is larger."""
    files = {}
    for side in (32, 96):
        buffer = io.BytesIO()
        Image.radial_gradient("L").resize((side, side)).convert("RGB").save(buffer, "PNG")
        files[side] = {KEY: buffer.getvalue()}
    requests = [replace(BARE, source=SourcePicture(KEY, 0.4, upscaler=name)) for name in ("4x_Old", "")]
    small, plain = (painted(studio, request, files[32]) for request in requests)
    large, same = (painted(studio, request, files[96]) for request in requests)
    assert np.abs(small - plain).max() > 4
    assert np.array_equal(large, same)


@pytest.mark.parametrize(
    ("upscaler", "code", "said"),
    [("gone", FailureCode.UNKNOWN_MODEL, "no upscaler called “gone”"), ("evil", FailureCode.UNKNOWN_MODEL, "“evil”")],
)
def test_an_upscaler_that_is_not_there_ends_the_job_before_it_begins(
    studio: Studio, upscaler: str, code: FailureCode, said: str
) -> None:
    """A file that hides code is on no shelf, so nobody can choose it."""
    events = run(studio, replace(BARE, hires=Hires(scale=1.5, upscaler=upscaler)))
    assert isinstance(events[-1], Failed)
    assert events[-1].code is code
    assert said in events[-1].message
    assert not any(isinstance(event, Progress) for event in events)
