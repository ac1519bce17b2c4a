"""The default model's tools, on sprites drawn here and networks of a few thousand weights."""

import random

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image, ImageDraw
from transformers import CLIPTextConfig, CLIPTextModel

from inference.engine.layout import clip_sources, unet_sources, vae_sources
from tools.default_model.captions import caption, evaluation_caption
from tools.default_model.export import fold_scale, ldm_layout
from tools.default_model.painter import signal_levels
from tools.default_model.shapes import SCALE, TEXT, UNET, VAE
from tools.default_model.text import Vocabulary, facts, full_embedding
from tools.default_model.world import LABELS, PAINT, Scene, all_scenes, compose, held_out_scenes, training_scenes


@pytest.fixture
def sprites() -> dict[str, Image.Image]:
    """A grey disc for every label."""
    disc = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(disc).ellipse((8, 8, 120, 120), fill=(128, 128, 128, 255))
    return dict.fromkeys(LABELS, disc)


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
    vae = AutoencoderKL(**{**VAE, "block_out_channels": [4, 4, 8, 8], "norm_num_groups": 2}).eval()
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
    unet = UNet2DConditionModel(
        **{
            **UNET,
            "block_out_channels": [8, 16],
            "norm_num_groups": 4,
            "attention_head_dim": 2,
            "cross_attention_dim": 8,
        }
    )
    vae = AutoencoderKL(**{**VAE, "block_out_channels": [4, 4, 8, 8], "norm_num_groups": 2})
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
