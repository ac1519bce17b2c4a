"""The default model's tools, on sprites drawn here and networks of a few thousand weights."""

import io
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image, ImageDraw
from transformers import CLIPTextConfig, CLIPTextModel

from inference.engine.layout import clip_sources, unet_sources, vae_sources
from tools.default_model.captions import caption, evaluation_caption
from tools.default_model.export import fold_scale, ldm_layout
from tools.default_model.painter import PainterTrainer, signal_levels
from tools.default_model.shapes import SCALE, TEXT, UNET, VAE
from tools.default_model.text import Vocabulary, facts, full_embedding
from tools.default_model.training import Run, load_state
from tools.default_model.vae import VaeTrainer, latent_loss
from tools.default_model.world import (
    LABELS,
    OBJECTS,
    PAINT,
    STYLE,
    Scene,
    all_scenes,
    compose,
    held_out_scenes,
    training_scenes,
)

SMALL_VAE = {**VAE, "block_out_channels": [4, 4, 8, 8], "norm_num_groups": 2}
SMALL_UNET = {
    **UNET,
    "block_out_channels": [8, 8, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 8,
}


@pytest.fixture
def sprites() -> dict[str, Image.Image]:
    """A grey disc for every label."""
    disc = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(disc).ellipse((8, 8, 120, 120), fill=(128, 128, 128, 255))
    return dict.fromkeys(LABELS, disc)


@pytest.fixture
def run(tmp_path: Path, sprites: dict[str, Image.Image]) -> Run:
    """A run on the processor whose data folder has the discs as sprites, packed as `build` packs them."""
    packed = io.BytesIO()
    sprites["apple"].save(packed, "WEBP")
    about = [{"label": source, "style": STYLE} for source, _ in OBJECTS.values()]
    offsets = np.arange(len(about) + 1) * len(packed.getvalue())
    np.savez(
        tmp_path / "sprites.npz",
        blob=np.frombuffer(packed.getvalue() * len(about), np.uint8),
        offsets=offsets,
        meta=np.frombuffer(json.dumps(about).encode(), np.uint8),
    )
    return Run(data=tmp_path, device=torch.device("cpu"), minutes=1, threads=1, batch=2, rate=1e-2, resume=False)


def test_a_seed_decides_a_scene_whole(sprites: dict[str, Image.Image]) -> None:
    """Pictures can be made again from their seed, and another seed moves the object."""
    scene = Scene("apple", "green", "white")
    first, again, other = (compose(scene, sprites=sprites, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_scene_has_the_colours_it_names(sprites: dict[str, Image.Image]) -> None:
    """The background is exact; the object's middle is nearest to its colour among all paints."""
    picture = compose(Scene("apple", "green", "pink"), sprites=sprites, seed=3).astype(int)
    assert tuple(picture[0, 0]) == PAINT["pink"]
    nearest = min(PAINT, key=lambda name: np.abs(picture[64, 64] - np.array(PAINT[name])).sum())
    assert nearest == "green"


def test_no_held_out_sentence_is_ever_a_training_caption() -> None:
    """The judge's sentences are new: other scenes, in other words."""
    chance = random.Random(0)
    trained = {caption(scene, chance=chance) for scene in training_scenes() for _ in range(60)}
    asked = {evaluation_caption(scene, chance=chance) for scene in held_out_scenes() for _ in range(10)}
    assert not trained & asked
    assert len(held_out_scenes()) >= 60
    assert not set(held_out_scenes()) & set(training_scenes())
    assert len(held_out_scenes()) + len(training_scenes()) == len(all_scenes())


def test_captions_and_facts_follow_the_scene() -> None:
    """The same chance says the same, and says object, colour and background."""
    scene = Scene("star", "red", "blue")
    said = [caption(scene, chance=random.Random(4)) for _ in range(2)]
    assert said[0] == said[1]
    assert all(word in said[0] for word in ("star", "red", "blue"))
    assert facts([scene, Scene("apple", None, "white")]).tolist()[1] == [0, 0, 0]


def test_an_unknown_word_gets_the_unknown_row() -> None:
    """All words that training never saw share one row of the full vocabulary."""
    words = Vocabulary.of_captions()
    rows = words.rows(["a cat", "a parliament"])
    assert rows[0, 2] > 0
    assert rows[1, 2] == 0
    small = torch.randn(len(words.known) + 1, 4)
    full = full_embedding(small, words.known)
    assert torch.equal(full[words.tokens(["a cat", "a parliament"])], small[rows])


def test_the_folded_scale_keeps_pictures_and_evens_latents() -> None:
    """After export, latents times 0.18215 have mean 0 and deviation 1, and the decoder gives the same picture."""
    torch.manual_seed(0)
    vae = AutoencoderKL(**SMALL_VAE).eval()
    pictures = torch.rand(8, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mode()
        before = vae.decode(latents).sample
        mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
        vae.load_state_dict(fold_scale(vae.state_dict(), mean=mean, std=std))
        even = vae.encode(pictures).latent_dist.mode()
        after = vae.decode(even).sample
    torch.testing.assert_close((even * SCALE).std((0, 2, 3)), torch.ones(4), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)


def test_the_file_has_the_keys_that_the_engine_asks_for() -> None:
    """The names written are exactly those that Easel's own table reads, each once, none left over."""
    unet = UNet2DConditionModel(**SMALL_UNET)
    vae = AutoencoderKL(**SMALL_VAE)
    small = {"vocab_size": 16, "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "eos_token_id": 2}
    text = CLIPTextModel(CLIPTextConfig(**{**TEXT, **small, "bos_token_id": 1, "pad_token_id": 2}))
    file = ldm_layout(
        unet=unet.state_dict(), vae=vae.state_dict(), text=text.state_dict(), unet_config=UNET, vae_blocks=4
    )
    asked = [
        *unet_sources(unet.state_dict(), unet.config).values(),
        *vae_sources(vae.state_dict(), vae.config).values(),
        *clip_sources(text.state_dict(), prefix="cond_stage_model.transformer.").values(),
    ]
    assert sorted(source.key for source in asked) == sorted(file)


def test_the_noise_ends_where_stable_diffusions_does() -> None:
    """Sigma runs from 0.03 to 14.6."""
    levels = signal_levels()
    sigmas = ((1 - levels) / levels).sqrt()
    assert sigmas[0].item() == pytest.approx(0.0292, abs=1e-3)
    assert sigmas[-1].item() == pytest.approx(14.61, abs=0.02)


def test_the_latents_are_held_to_mean_colours() -> None:
    """Where the first three channels are the mean colours and the fourth is empty, only their own size costs anything."""
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    means = torch.nn.functional.avg_pool2d(pictures, 8)
    held = torch.cat([means, torch.zeros(2, 1, 2, 2)], 1)
    assert latent_loss(held, pictures).item() == pytest.approx(1e-4 * held.square().mean().item())
    assert latent_loss(held + 0.5, pictures).item() == pytest.approx(0.25, abs=1e-3)


def test_the_autoencoder_is_kept_as_its_average(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state on disk holds the averaged weights, which were measured, while training goes on from the last ones."""
    monkeypatch.setattr("tools.default_model.vae.VAE", SMALL_VAE)
    trainer = VaeTrainer(run)
    for _ in range(3):
        trainer.step(torch.rand(2, 3, 32, 32) * 2 - 1)
    last = trainer.vae.encoder.conv_in.weight
    before = last.detach().clone()
    trainer.save()
    kept = load_state(run.data / "vae.pt")
    assert torch.equal(last, before)
    assert not torch.equal(kept["model"]["encoder.conv_in.weight"], before)
    assert any(torch.equal(kept["model"]["encoder.conv_in.weight"], value) for value in trainer.average.shadow)
    assert kept["seen"] == 6


def test_painting_lessons_go_on_where_they_were_left(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run has the same weights, average, optimizer and count, so that its next step is the same too."""
    monkeypatch.setattr("tools.default_model.painter.UNET", SMALL_UNET)
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(2, 4, 8, 8, generator=generator), torch.rand(2, 77, 8, generator=generator)

    def step(trainer: PainterTrainer) -> float:
        velocity = trainer.unet(rows[0], torch.tensor([10, 900]), rows[1]).sample
        return trainer.step(velocity.square().mean(), samples=2)

    first = PainterTrainer(run)
    step(first)
    first.save()
    again = PainterTrainer(replace(run, resume=True))
    assert again.seen == 2
    assert step(again) == step(first)
    for one, other in zip(again.average.shadow, first.average.shadow, strict=True):
        assert torch.equal(one, other)
