"""Train the KL autoencoder. `part="decoder"` keeps the encoder as it is, so that the painter can train meanwhile.

Three of the four latent channels are asked to be the mean colours of their 8 x 8 pixels: the encoder so finds a good
place within a few hundred steps, the latents are smooth, and the decoder has only shapes to learn.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from tools.default_model.drawing import SIDE, SQUARE, compose, load_sprites
from tools.default_model.export import MODEL, load_exported
from tools.default_model.shapes import SCALE, VAE
from tools.default_model.training import MovingAverage, Run, load_state, rate_at, save_state
from tools.default_model.world import Scene, training_scenes, varied_scenes

CROP = 64
CROPPED = 0.4  # share of the time on crops; then whole pictures, since the group norms see other statistics in those
# side of the pictures -> (share of the steps, how many are varied scenes, how many the plain ones that a painter draws best)
SHELVES = {SIDE: (0.7, 2400, 900), 3 * SIDE // 2: (0.1, 200, 100), 2 * SIDE: (0.2, 300, 150)}
FACTOR = 8  # pixels of a latent's side


def picture_bank(
    data: Path, scenes: list[Scene], *, seed: int, size: tuple[int, int] = SQUARE, still: bool = False
) -> Tensor:
    """A picture of each scene, uint8 [N, 3, height, width] for a `size` of (width, height); `still` as in `compose`."""
    sprites = load_sprites(data / "sprites.npz")
    drawn = [compose(s, sprites=sprites, seed=seed + index, size=size, still=still) for index, s in enumerate(scenes)]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).contiguous()


def to_signal(pictures: Tensor) -> Tensor:
    """Uint8 pictures to floats in -1..1."""
    return pictures.float() / 127.5 - 1


def reconstruction_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """L1 and edges at three scales, and coarse chroma: without the last, small batches keep green brown for long."""
    loss = F.l1_loss(made, wanted) + 0.5 * F.mse_loss(made, wanted)
    loss = loss + F.l1_loss(_chroma(made), _chroma(wanted))
    for scale in range(3):
        for axis in (-1, -2):
            loss = loss + (0.5 if scale == 0 else 0.35) * F.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis))
        if scale < 2:
            made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
            loss = loss + 0.3 * F.l1_loss(made, wanted)
    return loss


def _chroma(x: Tensor) -> Tensor:
    red, green, blue = x.unbind(1)
    return F.avg_pool2d(torch.stack([red - green, (red + green) / 2 - blue], 1), 4)


def latent_loss(latents: Tensor, wanted: Tensor) -> Tensor:
    """Hold the first three channels to the mean colours below them, and all four near zero."""
    return F.mse_loss(latents[:, :3], F.avg_pool2d(wanted, FACTOR)) + 1e-4 * latents.square().mean()


def train(run: Run) -> None:
    """Train for the asked minutes and leave `vae.pt` in the data folder, ten times on the way and at the end."""
    run.start()
    trainer, shelves = VaeTrainer(run), shelved(run)
    shares = torch.tensor([share for share, _, _ in SHELVES.values()])
    losses, next_save, crops = [], 0.1, trainer.old is None
    for step, gone in enumerate(run.clock(), 1):
        trainer.set_rate(rate_at(gone, step=step, warmup=50, peak=run.rate))
        pictures = shelves[int(torch.multinomial(shares, 1))]
        losses.append(trainer.step(_crops(pictures, run, side=CROP if crops and gone < CROPPED else None)))
        if step % 20 == 0:
            run.share_processor()
        if step % 100 == 0:
            print(f"vae {gone:4.0%} step {step} pictures {trainer.seen} loss {np.mean(losses[-100:]):.4f}", flush=True)
        if gone >= next_save:
            trainer.save()
            next_save = gone + 0.1
    trainer.save()


def shelved(run: Run) -> list[Tensor]:
    """Pictures of each size of `SHELVES`, none of a held-out combination."""
    shelves, chance = [], random.Random(3)
    for place, (side, (_, varied, plain)) in enumerate(SHELVES.items()):
        still = chance.choices(training_scenes(), k=plain)
        drawn = picture_bank(run.data, varied_scenes(varied, seed=1 + place), seed=10_000 * place, size=(side, side))
        shelves.append(
            torch.cat([drawn, picture_bank(run.data, still, seed=5_000 + place, size=(side, side), still=True)])
        )
    return shelves


def shipped() -> dict[str, Any]:
    """The state of a VAE trainer that goes on from the exported file: its latents already have the deviation 1 / SCALE."""
    _, vae, _ = load_exported(MODEL)
    return {
        "model": vae.state_dict(),
        "mean": torch.zeros(4),
        "std": torch.full((4,), 1 / SCALE),
        "part": "",
        "seen": 0,
    }


class VaeTrainer:
    """The network, its optimizer and its moving average; a state in the data folder is gone on from when `run.resume`.

    Without one the decoder alone goes on from the exported file: one for an untrained encoder would be of no use.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.path = run, run.data / "vae.pt"
        self.old = load_state(self.path) if run.resume and self.path.exists() else None
        if self.old is None and run.part == "decoder":
            self.old = shipped()
        self.seen = self.old["seen"] if self.old else 0
        self.vae = AutoencoderKL(**VAE)
        if self.old:
            self.vae.load_state_dict(self.old["model"])
        self.vae = self.vae.to(run.device)
        trained = [self.vae.post_quant_conv, self.vae.decoder] if run.part == "decoder" else [self.vae]
        self.vae.requires_grad_(requires_grad=False)
        for module in trained:
            module.requires_grad_(requires_grad=True)
        self.average = MovingAverage(trained, decay=0.995)
        self.optimizer = torch.optim.AdamW([p for m in trained for p in m.parameters()], lr=run.rate, betas=(0.9, 0.99))
        if self.old and self.old["part"] == run.part:
            self.optimizer.load_state_dict(self.old["optimizer"])

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def step(self, wanted: Tensor) -> float:
        """One step on pictures in -1..1; the loss before it."""
        with self.run.autocast():
            latents = self.vae.encode(wanted).latent_dist.mean.float()
            # a fixed little noise makes the decoder forgiving of what the painter gets slightly wrong
            noisy = latents + 0.05 * latents.std() * torch.randn_like(latents)
            made = self.vae.decode(noisy).sample.float()
        loss = reconstruction_loss(made, wanted)
        if self.run.part != "decoder":
            loss = loss + latent_loss(latents, wanted)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 1.0)
        self.optimizer.step()
        self.average.update()
        self.seen += len(wanted)
        return loss.item()

    def save(self) -> None:
        """Write the averaged weights with what they reach. A frozen encoder keeps its latents' mean and deviation."""
        with self.average.swapped_in():
            figures = measure(self.vae, self.run)
            state = {"model": {k: v.detach().cpu().clone() for k, v in self.vae.state_dict().items()}, **figures}
        if self.old and self.run.part == "decoder":
            state |= {"mean": self.old["mean"], "std": self.old["std"]}
        state |= {"optimizer": self.optimizer.state_dict(), "part": self.run.part, "seen": self.seen}
        save_state(self.path, state)
        print(f"vae saved: {self.seen} pictures, {figures['psnr']:.2f} dB on held-out scenes", flush=True)


def _crops(pictures: Tensor, run: Run, *, side: int | None) -> Tensor:
    """A batch of square crops, floats in -1..1, at one place for the whole batch; without a side fewer whole pictures."""
    whole = pictures.shape[-1]
    many = run.batch if side else max(1, run.batch // 2 * SIDE * SIDE // (whole * whole))
    chosen, side = pictures[torch.randint(len(pictures), (many,))], side or whole
    top, left = (FACTOR * int(torch.randint((whole - side) // FACTOR + 1, ())) for _ in range(2))
    return to_signal(chosen[..., top : top + side, left : left + side]).to(run.device)


@torch.no_grad()
def measure(vae: AutoencoderKL, run: Run) -> dict[str, float | Tensor]:
    """PSNR in dB on held-out scenes, and the latents' mean and standard deviation a channel."""
    wanted = to_signal(picture_bank(run.data, varied_scenes(64, seed=5, held_out=True), seed=5)).to(run.device)
    latents = torch.cat([vae.encode(x).latent_dist.mode().float() for x in wanted.split(16)])
    made = torch.cat([vae.decode(z).sample.float().clamp(-1, 1) for z in latents.split(16)])
    error = F.mse_loss(made, wanted, reduction="none").mean((1, 2, 3))
    return {
        "psnr": float((10 * torch.log10(4 / error)).mean()),
        "mean": latents.mean((0, 2, 3)).cpu(),
        "std": latents.std((0, 2, 3)).cpu(),
    }
