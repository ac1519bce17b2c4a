"""Jobs with LoRAs, learned words and other VAEs through the real loop: nobody's picture depends on who else paints."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from inference.api.errors import FailureCode
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Sampling, Seeds
from inference.api.wire import EngineSettings, Event, Failed, Finished, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.checkpoints import write_tiny_checkpoint

LAYERS = ("lora_unet_mid_block_attentions_0_proj_in", "lora_te_text_model_encoder_layers_0_mlp_fc1")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A studio with one tiny checkpoint, a LoRA, one for another family, and two embeddings."""
    root = tmp_path / "models"
    write_tiny_checkpoint(root / "Stable-diffusion" / "tiny.safetensors")
    source = torch.Generator().manual_seed(1)
    tensors = {
        f"{layer}.lora_{side}.weight": torch.randn(shape, generator=source)
        for layer, out in zip(LAYERS, (32, 32), strict=True)
        for side, shape in (("up", (out, 2)), ("down", (2, 16 if "te_" in layer else 32)))
    }
    (root / "Lora").mkdir()
    save_file(tensors, root / "Lora" / "bold.safetensors")
    save_file(tensors, root / "Lora" / "huge.safetensors", metadata={"ss_base_model_version": "sdxl_base_v1-0"})
    (root / "embeddings").mkdir()
    save_file({"emb_params": torch.randn(2, 16, generator=source)}, root / "embeddings" / "zorblat.safetensors")
    save_file({"emb_params": torch.randn(2, 768, generator=source)}, root / "embeddings" / "glimmer.safetensors")
    return Studio(EngineSettings(roots=(str(root),), cache=str(tmp_path / "cache"), device="cpu"))


def request(text: str, **more: str) -> GenerationRequest:
    """A small picture of `text`."""
    return GenerationRequest(
        prompt=Prompt(text, **more),
        canvas=Canvas(64, 64),
        seeds=Seeds(7),
        model=ModelRef("tiny"),
        sampling=Sampling(sampler="euler", steps=3),
        guidance=Guidance(cfg_scale=3.0),
    )


def paint(studio: Studio, *texts: str) -> list[Finished | Failed]:
    """The last events of jobs that were asked for at once, in the order of `texts`."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    for job, text in enumerate(texts):
        engine.submit(Submit(job, request(text)))
    while engine.running:
        engine.turn()
    last = {event.job: event for event in events if isinstance(event, Finished | Failed)}
    return [last[job] for job in range(len(texts))]


def picture(event: Finished | Failed) -> np.ndarray:
    """A finished job's picture, (H, W, 3) in steps of 8 bits."""
    assert isinstance(event, Finished), event
    with Image.open(io.BytesIO(event.images[0].data)) as image:
        return np.asarray(image).astype(np.int16)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference of two pictures; a batch of other rows may move a value over a step, so 1 is none."""
    return int(np.abs(one - other).max())


def test_dressed_and_bare_jobs_do_not_colour_each_other(studio: Studio) -> None:
    """Jobs with a LoRA, with it at another strength and without any, painted together, equal the same jobs alone."""
    texts = ("a fox <lora:bold:0.8>", "a fox", "a fox <lora:bold:-0.3>")
    alone = [picture(*paint(studio, text)) for text in texts]
    together = [picture(event) for event in paint(studio, *texts)]
    assert max(apart(one, other) for one, other in zip(together, alone, strict=True)) <= 1
    assert min(apart(alone[0], alone[1]), apart(alone[0], alone[2]), apart(alone[1], alone[2])) > 4


def test_the_text_says_which_loras_were_worn(studio: Studio) -> None:
    """The picture's text keeps the tag and names the LoRA's hash."""
    (event,) = paint(studio, "a fox <lora:bold:0.8>")
    assert isinstance(event, Finished)
    text = event.images[0].infotext
    assert text.startswith("a fox <lora:bold:0.8>\n")
    assert f'Lora hashes: "bold: {studio.inventory.loras[0].hash}"' in text


def test_unknown_loras_are_notes_and_wrong_ones_are_refused(studio: Studio) -> None:
    """A name that is not there is a note on the card; a LoRA for another family fails the job with its name."""
    noted, refused, after = paint(studio, "a fox <lora:nope:1>", "a fox <lora:huge:1>", "a fox")
    assert isinstance(noted, Finished)
    assert noted.notes == ("There is no LoRA called “nope” here; it was left out.",)
    assert isinstance(refused, Failed)
    assert refused.code == FailureCode.BROKEN_MODEL
    assert refused.message.startswith("The LoRA “huge” is made for Stable Diffusion XL")
    assert apart(picture(after), picture(*paint(studio, "a fox"))) <= 1


def test_learned_words_work_and_misfits_are_noted(studio: Studio) -> None:
    """An embedding of the right width changes the picture wherever its name stands; one of another width is a note."""
    used, plain, other = paint(studio, "portrait of zorblat", "portrait of a cat", "portrait of glimmer")
    assert apart(picture(used), picture(plain)) > 4
    assert isinstance(used, Finished)
    assert used.notes == ()
    assert isinstance(other, Finished)
    assert other.notes == ("The embedding “glimmer” is made for another kind of model; it was left out.",)


def test_a_lora_named_only_in_the_prompt_is_looked_for(studio: Studio, tmp_path: Path) -> None:
    """A file that came into its folder after the last look is found when a prompt names it."""
    bold = tmp_path / "models" / "Lora" / "bold.safetensors"
    shutil.copy(bold, bold.with_name("late.safetensors"))
    late, early = paint(studio, "a fox <lora:late:0.8>", "a fox <lora:bold:0.8>")
    assert isinstance(late, Finished)
    assert late.notes == ()
    assert apart(picture(late), picture(early)) <= 1
    assert 'Lora hashes: "late: ' in late.images[0].infotext


def test_bad_words_inside_a_lora_are_noted(studio: Studio, tmp_path: Path) -> None:
    """A LoRA whose own learned words are no numbers paints with its layers, and the card says what was left out."""
    bold = tmp_path / "models" / "Lora" / "bold.safetensors"
    bad = {"bundle_emb.murk.string_to_param.*": torch.full((1, 16), float("nan"))}
    save_file(load_file(bold) | bad, bold.with_name("murky.safetensors"))
    studio.refresh()
    murky, clear = paint(studio, "murk <lora:murky:0.8>", "murk <lora:bold:0.8>")
    assert isinstance(murky, Finished)
    assert murky.notes == (
        "The learned words inside the LoRA “murky” were left out: it holds numbers that are not finite (NaN).",
    )
    assert apart(picture(murky), picture(clear)) <= 1


def test_an_embedding_that_went_bad_is_noted_where_it_is_named(studio: Studio, tmp_path: Path) -> None:
    """A file that was replaced by something else since it was listed is a sentence, and only for whoever names it."""
    (tmp_path / "models" / "embeddings" / "zorblat.safetensors").write_bytes(b"<html>gone</html>")
    named, other = paint(studio, "portrait of zorblat", "portrait of a cat")
    assert isinstance(named, Finished)
    assert isinstance(other, Finished)
    assert len(named.notes) == 1
    assert named.notes[0].startswith("The embedding “zorblat” was left out: it is a text file")
    assert other.notes == ()
