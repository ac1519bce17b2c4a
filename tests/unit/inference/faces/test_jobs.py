"""Whole jobs that mend faces: by a restorer's file, by painting over, and what is said where there is nothing to mend."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from inference.api.enlarging import UpscaleRequest
from inference.api.errors import FailureCode
from inference.api.faces import REPAINT, FaceRestoration
from inference.api.infotext import read_infotext
from inference.api.infotext.pictures import texts_in
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Sampling, Seeds, SourcePicture
from inference.api.result import ModelFile
from inference.api.wire import EngineSettings, Event, Failed, Finished, Submit
from inference.engine.bad_file import BadFile
from inference.engine.faces.mending import NO_FACE
from inference.engine.faces.restorers import identify_face_restorer, load_restorer
from inference.engine.job import Prepared, Refused, Track
from inference.engine.loop import Engine
from inference.engine.preparation import Bench, mend_of
from inference.engine.studio import Studio
from tests.checkpoints import tiny_config, write_config, write_tiny_checkpoint
from tests.unit.inference.faces.conftest import DETECTOR

SHA = "ab" * 32
Drive = Callable[[Any], Any]
MARKS = {
    "gfpgan": ("toRGB.0.weight", "stylegan_decoder.style_mlp.1.weight"),
    "codeformer": ("position_emb", "idx_pred_layer.1.weight", "quantize.embedding.weight"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A models folder with a tiny checkpoint whose pictures have 256 pixels, and the shipped detector."""
    models = tmp_path / "models"
    path = write_tiny_checkpoint(models / "Stable-diffusion" / "tiny.safetensors")
    write_config(path, tiny_config() | {"native": 256})
    (models / "annotators").mkdir()
    shutil.copy(DETECTOR, models / "annotators")
    return models


def studio_on(root: Path) -> Studio:
    """A painter on the CPU."""
    return Studio(EngineSettings(roots=(str(root),), cache=str(root / "cache"), device="cpu"))


def png(picture: Image.Image) -> bytes:
    """`picture` as a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def run(studio: Studio, request: Any, source: Image.Image | None = None) -> Finished | Failed:
    """The last event of a job."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(1, request, attachments={} if source is None else {SHA: png(source)}))
    while engine.running:
        engine.turn()
    last = events[-1]
    assert isinstance(last, Finished | Failed)
    return last


def opened(event: Finished | Failed) -> np.ndarray:
    """The pixels of a finished job."""
    assert isinstance(event, Finished), event
    with Image.open(io.BytesIO(event.images[0].data)) as image:
        return np.asarray(image.convert("RGB"))


def wish(**changes: Any) -> GenerationRequest:
    """A small picture whose faces are mended."""
    plain = GenerationRequest(
        prompt=Prompt("a face", "fog"),
        canvas=Canvas(64, 64),
        seeds=Seeds(7),
        model=ModelRef("tiny"),
        sampling=Sampling(sampler="euler", steps=3),
        guidance=Guidance(cfg_scale=3.0),
        faces=FaceRestoration(),
    )
    return msgspec.structs.replace(plain, **changes)


def test_without_a_face_the_picture_stays_as_it_is(root: Path) -> None:
    """Bit for bit, with a note; its text says what was asked for."""
    studio = studio_on(root)
    mended, plain = run(studio, wish()), run(studio, wish(faces=None))
    assert isinstance(mended, Finished)
    assert mended.notes == (NO_FACE,)
    assert (opened(mended) == opened(plain)).all()
    assert read_infotext(mended.images[0].infotext).parameters["Face restoration"] == REPAINT


def test_a_face_is_painted_over_and_nothing_else(root: Path, astronaut: Image.Image) -> None:
    """Outside of the crop not a bit changes, inside it does, more with more strength; the notes stay silent."""
    studio = studio_on(root)
    changed: list[float] = []
    for strength in (0.4, 0.9):
        request, notes, over = wish(faces=FaceRestoration(weight=strength)), list[str](), dict[Prompt, Bench]()
        info = studio._shelf.find(request.model)
        mend = mend_of(request, 0, info, shelf=studio._shelf, notes=notes, over=over)
        assert mend is not None
        track = Track(mend(astronaut), lend=studio._shelf.upscaler)
        pictures: list[Image.Image] = []
        engine = Engine(
            prepare=lambda _, track=track, kept=pictures: Prepared(
                [track], 1, "x", lambda made: kept.extend(made) or ()
            ),
            send=lambda _: None,
            forwards=studio.forwards,
        )
        engine.submit(Submit(1, request))
        while engine.running:
            engine.turn()
        for bench in over.values():
            bench.give_back()
        before, after = np.asarray(astronaut).astype(int), np.asarray(pictures[0]).astype(int)
        moved = np.abs(after - before).max(axis=2)
        rows, columns = np.nonzero(moved)
        assert rows.min() > 15
        assert rows.max() < 222
        assert columns.min() > 30
        assert columns.max() < 228
        assert notes == []
        changed.append(float(moved.mean()))
    assert changed[1] > changed[0] > 0.5


def test_large_faces_are_not_made_small(root: Path, astronaut: Image.Image, drive: Drive) -> None:
    """A face that fills more than the model paints stays, and that is said."""
    studio = studio_on(root)
    request, notes = wish(), list[str]()
    mend = mend_of(request, 0, studio._shelf.find(request.model), shelf=studio._shelf, notes=notes, over={})
    assert mend is not None
    large = astronaut.resize((700, 700))
    assert drive(mend(large)) is large
    assert notes == ["A face of 256 pixels or more is as fine as the model paints; it stayed as it is."]


def test_nothing_is_to_be_seen_of_an_invisible_mending(root: Path, astronaut: Image.Image) -> None:
    """With visibility 0 nobody even looks for faces."""
    studio = studio_on(root)
    mended = run(studio, wish(faces=FaceRestoration(visibility=0.0)))
    assert isinstance(mended, Finished)
    assert mended.notes == ()


def test_what_cannot_be_is_a_sentence(root: Path, astronaut: Image.Image) -> None:
    """An unknown restorer, painting over without words, and a painter without the detector."""
    studio = studio_on(root)
    unknown = run(studio, wish(faces=FaceRestoration("GFPGANv9")))
    assert isinstance(unknown, Failed)
    assert (unknown.code, "GFPGANv9" in unknown.message) == (FailureCode.UNKNOWN_MODEL, True)
    bare = UpscaleRequest(picture=SHA, upscaler="none", scale=1.0, faces=FaceRestoration())
    words = run(studio, bare, astronaut)
    assert isinstance(words, Failed)
    assert "needs a model and words" in words.message
    (root / "annotators" / DETECTOR.name).unlink()
    blind = run(studio_on(root), wish())
    assert isinstance(blind, Failed)
    assert "mtcnn.fp16.safetensors" in blind.message


def test_files_are_known_by_their_weights(tmp_path: Path) -> None:
    """GFPGAN and CodeFormer by names of weights; anything else is said to be none. CodeFormer's licence is told on loading."""
    for family, names in MARKS.items():
        path = tmp_path / f"{family}.safetensors"
        save_file({name: torch.zeros(1) for name in names}, path)
        assert identify_face_restorer(path).family == family
    other = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(1)}, other)
    with pytest.raises(BadFile, match="restores no faces"):
        identify_face_restorer(other)
    file = ModelFile("codeformer", str(tmp_path / "codeformer.safetensors"), "", "codeformer")
    with pytest.raises(Refused, match="forbids commercial use"):
        load_restorer(file, device=torch.device("cpu"))


def test_a_broken_restorer_is_a_sentence(root: Path) -> None:
    """A file with the right names and nothing behind them ends the job in words, and other jobs go on."""
    (root / "GFPGAN").mkdir()
    save_file({name: torch.zeros(1) for name in MARKS["gfpgan"]}, root / "GFPGAN" / "hollow.safetensors")
    studio = studio_on(root)
    broken = run(studio, wish(faces=FaceRestoration("hollow")))
    assert isinstance(broken, Failed)
    assert "hollow.safetensors looks like a network of the kind GFPGAN" in broken.message
    assert isinstance(run(studio, wish(faces=None)), Finished)


def test_gfpgan_under_its_real_names(root: Path, astronaut: Image.Image) -> None:
    """The whole architecture with random weights: found in its folder, run on the face, seeded, blended, told in the text."""
    from inference.engine.architectures import _registry

    registry = _registry()
    assert registry is not None
    clean: Any = __import__(
        "spandrel.architectures.GFPGAN.__arch.gfpganv1_clean_arch", fromlist=["GFPGANv1Clean"]
    ).GFPGANv1Clean
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = clean(
            out_size=512, num_style_feat=512, channel_multiplier=2, decoder_load_path=None, fix_decoder=False, num_mlp=8,
            input_is_latent=True, different_w=True, narrow=1, sft_half=True,
        )  # fmt: skip
        for name, parameter in network.named_parameters():
            if name.endswith("modulated_conv.modulation.bias"):
                parameter.data.fill_(1.0)
            if ".weight" in name and "noise" not in name:
                parameter.data.add_(0.01 * torch.randn_like(parameter))
    (root / "GFPGAN").mkdir()
    weights = {name: value.detach().half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, root / "GFPGAN" / "GFPGANv1.4.safetensors")
    studio = studio_on(root)
    assert [file.family for file in studio.inventory.faces] == ["gfpgan"]
    request = UpscaleRequest(
        picture=SHA,
        upscaler="none",
        scale=1.0,
        faces=FaceRestoration("GFPGANv1.4", visibility=0.5),
        infotext="a\nSeed: 5",
    )
    first, again = run(studio, request, astronaut), run(studio, request, astronaut)
    before, after = np.asarray(astronaut).astype(int), opened(first).astype(int)
    assert (opened(again) == opened(first)).all()
    moved = np.abs(after - before).max(axis=2)
    assert moved[:10].max() == 0
    assert moved[100:140, 110:150].mean() > 1
    assert isinstance(first, Finished)
    chunk = texts_in(first.images[0].data).chunks["postprocessing"]
    assert chunk == "Face restoration: GFPGANv1.4, GFPGAN visibility: 0.5"


def test_faces_of_img2img_are_mended_before_the_mask_is_laid_over(root: Path, cat: Image.Image) -> None:
    """A picture from a picture passes through the same way."""
    studio = studio_on(root)
    mended = run(studio, wish(source=SourcePicture(SHA, 0.5)), cat)
    assert isinstance(mended, Finished)
    assert mended.notes == (NO_FACE,)
