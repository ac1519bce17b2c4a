"""Train the UNet on latents of composed scenes, guided by the frozen, pre-trained text encoder.

All pictures are encoded once, so that a step costs the UNet and nothing else. Velocity prediction (Salimans and Ho 2022)
and few variations let colour and layout settle within some ten thousand samples.
"""

import random

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor

from tools.default_model.captions import caption
from tools.default_model.shapes import UNET, VAE
from tools.default_model.text import Vocabulary, small_text_model
from tools.default_model.training import MovingAverage, Run, load_state, rate_at, save_state
from tools.default_model.vae import picture_bank, to_signal
from tools.default_model.world import training_scenes

EMPTY_SHARE = 0.1  # captions left out, for classifier-free guidance


def signal_levels() -> Tensor:
    """Cumulative alphas of Stable Diffusion's scaled-linear schedule, float [1000]."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


@torch.no_grad()
def encode_bank(run: Run, *, rounds: int) -> Tensor:
    """Latents with unit variance, float [rounds * scenes, 4, 16, 16], round by round in the order of the scenes."""
    state = load_state(run.data / "vae.pt")
    vae = AutoencoderKL(**VAE).eval()
    vae.load_state_dict(state["model"])
    vae = vae.to(run.device)
    mean, std = (state[name].view(1, 4, 1, 1) for name in ("mean", "std"))
    pictures = picture_bank(run.data, rounds=rounds, seed=100_000)
    latents = []
    for part in pictures.split(32):
        with run.autocast():
            encoded = vae.encode(to_signal(part).to(run.device)).latent_dist.mode()
        latents.append((encoded.float().cpu() - mean) / std)
    return torch.cat(latents)


@torch.no_grad()
def caption_bank(run: Run, *, phrasings: int) -> tuple[Tensor, Tensor]:
    """Text features: float [scenes, phrasings, 77, 128], and of the empty caption [77, 128]."""
    state = load_state(run.data / "text.pt")
    words = Vocabulary(state["known"])
    model = small_text_model(len(words.known)).eval()
    model.load_state_dict(state["model"])
    chance = random.Random(3)
    said = [caption(scene, chance=chance) for scene in training_scenes() for _ in range(phrasings)]
    features = [model(words.rows(said[k : k + 128])).last_hidden_state for k in range(0, len(said), 128)]
    empty = model(words.rows([""])).last_hidden_state[0]
    return torch.cat(features).unflatten(0, (-1, phrasings)), empty


def train(run: Run) -> None:
    """Train for the asked minutes and leave `painter.pt`, every three minutes and at the end."""
    run.start()
    latents, (spoken, empty) = encode_bank(run, rounds=2), caption_bank(run, phrasings=3)
    trainer, levels, scenes = PainterTrainer(run), signal_levels().to(run.device), spoken.shape[0]
    losses, next_save = [], 0.0
    for step, gone in enumerate(run.clock(), 1):
        trainer.set_rate(rate_at(gone, step=step + trainer.average.steps, warmup=100, peak=run.rate))
        which = torch.randint(len(latents), (run.batch,))
        said = spoken[which % scenes, torch.randint(spoken.shape[1], (run.batch,))]
        said = torch.where(torch.rand(run.batch, 1, 1) < EMPTY_SHARE, empty, said)
        loss = _loss(trainer.unet, latents[which].to(run.device), said.to(run.device), levels=levels, run=run)
        losses.append(trainer.step(loss, samples=run.batch))
        if step % 20 == 0:
            run.share_processor()
        if step % 100 == 0:
            print(
                f"painter {gone:4.0%} step {step} samples {trainer.seen} loss {sum(losses[-100:]) / 100:.4f}",
                flush=True,
            )
        if gone >= next_save:
            trainer.save()
            next_save = gone + 3 / run.minutes
    trainer.save()
    print(f"painter saved: {trainer.seen} samples", flush=True)


class PainterTrainer:
    """The UNet, its optimizer and its moving average; a state in the data folder is gone on from when `run.resume`."""

    def __init__(self, run: Run) -> None:
        self.unet, self.seen, self.path = UNet2DConditionModel(**UNET).to(run.device), 0, run.data / "painter.pt"
        self.average = MovingAverage([self.unet], decay=0.998)
        self.optimizer = torch.optim.AdamW(self.unet.parameters(), lr=run.rate, betas=(0.9, 0.99), weight_decay=1e-3)
        if run.resume and self.path.exists():
            old = load_state(self.path)
            self.unet.load_state_dict(old["model"])
            self.optimizer.load_state_dict(old["optimizer"])
            self.average.shadow = [value.to(run.device) for value in old["average"]]
            self.average.steps, self.seen = old["steps"], old["seen"]

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def step(self, loss: Tensor, *, samples: int) -> float:
        """Follow the loss of a batch once; its value."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.optimizer.step()
        self.average.update()
        self.seen += samples
        return loss.item()

    def save(self) -> None:
        """Write weights, average and optimizer."""
        state = {"model": self.unet.state_dict(), "optimizer": self.optimizer.state_dict()}
        save_state(self.path, {**state, "average": self.average.shadow, "steps": self.average.steps, "seen": self.seen})


def _loss(unet: UNet2DConditionModel, latents: Tensor, said: Tensor, *, levels: Tensor, run: Run) -> Tensor:
    """Mean squared error of the velocity; half the steps are drawn from the noisy end, where the caption decides."""
    uniform = torch.rand(len(latents), device=latents.device)
    steps = (999 * torch.where(torch.rand_like(uniform) < 0.5, uniform, uniform.sqrt())).round().long()
    signal, noise_share = levels[steps].sqrt().view(-1, 1, 1, 1), (1 - levels[steps]).sqrt().view(-1, 1, 1, 1)
    noise = torch.randn_like(latents)
    with run.autocast():
        velocity = unet(signal * latents + noise_share * noise, steps, said).sample
    return F.mse_loss(velocity.float(), signal * noise - noise_share * latents)
