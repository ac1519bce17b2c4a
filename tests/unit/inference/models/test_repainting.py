"""A picture's own text, taken out of its bytes, paints the same bytes again: every feature that a text can carry."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.api.infotext import infotext_in, read_infotext, resolve
from inference.api.request import (
    Canvas,
    GenerationRequest,
    Hires,
    ModelRef,
    Prompt,
    Refiner,
)
from inference.api.sampling import Guidance, Sampling, Seeds
from inference.api.wire import EngineSettings, Event, Failed, Finished, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio
from tests.checkpoints import write_tiny_checkpoint


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with two tiny checkpoints, a LoRA with an alias and a learned word."""
    folder = tmp_path_factory.mktemp("studio")
    root = folder / "models"
    write_tiny_checkpoint(root / "Stable-diffusion" / "tiny.safetensors")
    write_tiny_checkpoint(root / "Stable-diffusion" / "sub" / "second.safetensors", seed=1)
    source = torch.Generator().manual_seed(1)
    layer = "lora_unet_mid_block_attentions_0_proj_in"
    lora = {f"{layer}.lora_up.weight": torch.randn(32, 2, generator=source)}
    lora[f"{layer}.lora_down.weight"] = torch.randn(2, 32, generator=source)
    (root / "Lora").mkdir()
    save_file(lora, root / "Lora" / "bold.safetensors", metadata={"ss_output_name": "strong"})
    (root / "embeddings").mkdir()
    save_file({"emb_params": torch.randn(2, 16, generator=source)}, root / "embeddings" / "zorblat.safetensors")
    return Studio(EngineSettings(roots=(str(root),), cache=str(folder / "cache"), device="cpu"))


def paint(studio: Studio, request: GenerationRequest) -> bytes:
    """The PNG that the real loop makes of `request`."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(1, request))
    while engine.running:
        engine.turn()
    (last,) = [event for event in events if isinstance(event, Finished | Failed)]
    assert isinstance(last, Finished), last
    return last.images[0].data


def request(studio: Studio, **more: object) -> GenerationRequest:
    """A small picture by the first checkpoint, by name and hash."""
    (info,) = [info for info in studio.inventory.checkpoints if info.name == "tiny"]
    fields: dict[str, object] = {
        "prompt": Prompt(
            "a (fox:1.2) and zorblat [in:out:2] <lora:strong:0.8>\n# by night\nBREAK snow", "fog, [rain|hail]"
        ),
        "canvas": Canvas(64, 64),
        "seeds": Seeds(7),
        "model": ModelRef(info.name, info.hash),
        "sampling": Sampling(sampler="euler_a", steps=3),
    }
    return GenerationRequest(**{**fields, **more})  # type: ignore[arg-type]


CASES: dict[str, dict[str, object]] = {
    "plain": {},
    "seeds": {"seeds": Seeds(7, variation_seed=9, variation_strength=0.3, resize_from=(128, 64), source="cpu")},
    "sampling": {
        "sampling": Sampling(sampler="dpmpp_2m_sde", schedule="karras", steps=4, eta=0.7, s_noise=1.02, rho=5.0),
        "guidance": Guidance(cfg_scale=4.5, skip_early=0.2, rescale=0.3),
    },
    "old": {
        "prompt": Prompt(
            "a fox [in:out:0.5] zorblat", "", old_timelines=True, pad_conds="v0", emphasis="No norm", clip_skip=2
        ),
        "sampling": Sampling(sampler="ddim", steps=4, downcast_alphas=True),
    },
    "padded": {
        "prompt": Prompt("a fox " * 60, "fog", pad_conds="empty"),
        "sampling": Sampling(sampler="heun", steps=2),
    },
    "tiling": {"tiling": True, "sampling": Sampling(sampler="euler_a", steps=2, ensd=31337)},
}


@pytest.mark.parametrize("case", CASES)
def test_a_pictures_text_paints_it_again(studio: Studio, case: str) -> None:
    """Painting what a picture's text says gives the same bytes, the text among them."""
    first = paint(studio, request(studio, **CASES[case]))
    base = GenerationRequest(prompt=Prompt(""), canvas=Canvas(512, 512), seeds=Seeds(1), model=ModelRef("sub/second"))
    resolved = resolve(read_infotext(infotext_in(first)), studio.inventory, base=base)
    assert resolved.notes == ()
    assert paint(studio, resolved.request) == first


def test_second_passes_and_refiners_are_painted_again(studio: Studio) -> None:
    """So it is with hires fix in its own words, and with a refiner by another checkpoint."""
    (second,) = [info for info in studio.inventory.checkpoints if info.name == "sub/second"]
    other = ModelRef(second.name, second.hash)
    wanted = request(
        studio,
        hires=Hires(scale=1.5, upscaler="latent_bicubic", steps=2, denoising_strength=0.6, prompt="a hare, zorblat"),
        refiner=Refiner(other, switch_at=0.5, during="first pass"),
    )
    first = paint(studio, wanted)
    base = GenerationRequest(prompt=Prompt(""), canvas=Canvas(512, 512), seeds=Seeds(1), model=other)
    resolved = resolve(read_infotext(infotext_in(first)), studio.inventory, base=base)
    assert resolved.notes == ()
    assert paint(studio, resolved.request) == first


def test_the_text_names_networks_and_words(studio: Studio) -> None:
    """LoRAs are told by the names in their tags, learned words by theirs, each with the hash of its file."""
    text = infotext_in(paint(studio, request(studio)))
    (lora,), (word,) = studio.inventory.loras, studio.inventory.embeddings
    assert f'Lora hashes: "strong: {lora.hash}", TI hashes: "zorblat: {word.hash}"' in text
    assert Path(lora.path).stem == "bold"
