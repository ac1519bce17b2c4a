"""Lessons for the painter: composed scenes of several sizes, encoded ahead, a few of them drawn anew all the time.

A step then costs the UNet and little else, and no picture is shown so often that the painter learns it by heart.
It knows neither the UNet nor the loss.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from tools.default_model.captions import caption
from tools.default_model.drawing import SIDE, SQUARE, compose, load_sprites
from tools.default_model.shapes import VAE
from tools.default_model.text import Vocabulary, small_text_model
from tools.default_model.training import Run, load_state
from tools.default_model.vae import to_signal
from tools.default_model.world import Scene, training_scenes, varied

# (width, height) -> (share of the steps, pictures a batch relative to the run's, pictures kept)
SIZES: dict[tuple[int, int], tuple[float, float, int]] = {
    (128, 128): (0.28, 1.0, 1000),
    (192, 128): (0.05, 0.625, 200),
    (128, 192): (0.05, 0.625, 200),
    (192, 192): (0.12, 0.5, 300),
    (256, 256): (0.5, 0.25, 600),
}
RENEWED = 12  # one step in so many draws its pictures anew
PICTURES_AT_ONCE = 32 * SIDE * SIDE  # pixels that the encoder takes together


@dataclass(frozen=True)
class Lesson:
    """A batch: latents float [N, 4, height / 8, width / 8] with unit variance, and its captions' features [N, 77, 128]."""

    latents: Tensor
    spoken: Tensor


class Bank:
    """Encoded pictures of every size, of training scenes or of `scenes`; varied and moved, or left as they are where `plain`.

    Raises what `load_sprites` raises; needs `vae.pt` and `text.pt`.
    """

    def __init__(
        self,
        run: Run,
        *,
        sizes: dict[tuple[int, int], tuple[float, float, int]] = SIZES,
        scenes: Sequence[Scene] = (),
        plain: bool = False,
    ) -> None:
        self.run, self.sizes, self.chance = run, sizes, random.Random(torch.initial_seed())
        self.sprites = load_sprites(run.data / "sprites.npz")
        self.scenes, self.plain = scenes or training_scenes(), plain
        state, text = load_state(run.data / "vae.pt"), load_state(run.data / "text.pt")
        self.mean, self.std = (state[name].view(1, 4, 1, 1) for name in ("mean", "std"))
        self.vae = AutoencoderKL(**VAE).eval()
        self.vae.load_state_dict(state["model"])
        self.vae = self.vae.to(run.device)
        self.words = Vocabulary(text["known"])
        self.speaker = small_text_model(len(self.words.known)).eval()
        self.speaker.load_state_dict(text["model"])
        self.empty = self.say([""])
        self._kept: dict[tuple[int, int], tuple[Tensor, list[Scene]]] = {}
        for size, (_, _, many) in sizes.items():
            self._kept[size] = self._draw(size, many)
            print(f"bank {size[0]} x {size[1]}: {many} pictures", flush=True)

    @torch.no_grad()
    def say(self, sentences: list[str]) -> Tensor:
        """Features of sentences, float [N, 77, 128]."""
        return self.speaker(self.words.rows(sentences)).last_hidden_state

    def lesson(self, *, step: int) -> Lesson:
        """The next batch, all of one size."""
        size = self.chance.choices(list(self.sizes), [share for share, _, _ in self.sizes.values()])[0]
        many = max(1, round(self.run.batch * self.sizes[size][1]))
        latents, scenes = self._kept[size]
        chosen = self.chance.sample(range(len(scenes)), many)
        if step % RENEWED == 0:
            fresh, drawn = self._draw(size, many)
            latents[chosen] = fresh
            for place, scene in zip(chosen, drawn, strict=True):
                scenes[place] = scene
        said = [caption(scenes[place], chance=self.chance) for place in chosen]
        return Lesson(latents=latents[chosen], spoken=self.say(said))

    def of(self, scenes: Sequence[Scene], *, size: tuple[int, int] = SQUARE) -> Lesson:
        """A lesson of these very scenes, in their order."""
        said = [caption(scene, chance=self.chance) for scene in scenes]
        return Lesson(latents=self._latents(list(scenes), size), spoken=self.say(said))

    def _draw(self, size: tuple[int, int], many: int) -> tuple[Tensor, list[Scene]]:
        scenes = [self.chance.choice(self.scenes) for _ in range(many)]
        if not self.plain:
            scenes = [varied(scene, chance=self.chance) for scene in scenes]
        return self._latents(scenes, size), scenes

    def _latents(self, scenes: list[Scene], size: tuple[int, int]) -> Tensor:
        at_once, latents = max(1, PICTURES_AT_ONCE // (size[0] * size[1])), []
        for start in range(0, len(scenes), at_once):
            part = scenes[start : start + at_once]
            drawn = [
                compose(s, sprites=self.sprites, seed=self.chance.getrandbits(40), size=size, still=self.plain)
                for s in part
            ]
            latents.append(self._encode(torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2)))
        return torch.cat(latents)

    @torch.no_grad()
    def _encode(self, pictures: Tensor) -> Tensor:
        with self.run.autocast():
            encoded = self.vae.encode(to_signal(pictures).to(self.run.device)).latent_dist.mode()
        return (encoded.float().cpu() - self.mean) / self.std
