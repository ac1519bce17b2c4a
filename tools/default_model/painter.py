"""Train the UNet on latents of composed scenes, guided by the frozen, pre-trained text encoder.

Velocity prediction (Salimans and Ho 2022) and few variations let colour and layout settle within some ten thousand samples.
Batches of several sizes, in which an object is as large as in the native one, teach it to place what it can draw.
"""

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor

from tools.default_model.bank import Bank
from tools.default_model.shapes import UNET
from tools.default_model.training import MovingAverage, Run, load_state, rate_at, save_state

EMPTY_SHARE = 0.1  # captions left out, for classifier-free guidance
NATIVE = UNET["sample_size"] ** 2  # places of a native picture's latents
SHADE = 0.07  # deviation of the shade that is added to the noise of larger pictures (offset noise, Guttenberg 2023)


def signal_levels() -> Tensor:
    """Cumulative alphas of Stable Diffusion's scaled-linear schedule, float [1000]."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def train(run: Run) -> None:
    """Train for the asked minutes and leave `painter.pt`, every three minutes and at the end."""
    run.start()
    teach(PainterTrainer(run), Bank(run, plain=run.part == "plain"), run, name="painter")


def teach(trainer: "PainterTrainer", bank: Bank, run: Run, *, name: str) -> None:
    """Follow the bank's lessons until the run's time is over; the state is written every three minutes and at the end."""
    levels, losses, next_save = signal_levels().to(run.device), [], 0.0
    for step, gone in enumerate(run.clock(), 1):
        trainer.set_rate(rate_at(gone, step=step, warmup=100, peak=run.rate))
        lesson = bank.lesson(step=step)
        said = torch.where(torch.rand(len(lesson.spoken), 1, 1) < EMPTY_SHARE, bank.empty, lesson.spoken)
        loss = velocity_loss(trainer.unet, lesson.latents.to(run.device), said.to(run.device), levels=levels, run=run)
        losses.append(trainer.step(loss, samples=len(said)))
        if step % 20 == 0:
            run.share_processor()
        if step % 100 == 0:
            mean = sum(losses[-100:]) / 100
            print(f"{name} {gone:4.0%} step {step} samples {trainer.seen} loss {mean:.4f}", flush=True)
        if gone >= next_save:
            trainer.save()
            next_save = gone + 3 / run.minutes
    trainer.save()
    print(f"{name} saved: {trainer.seen} samples", flush=True)


class PainterTrainer:
    """The UNet, its optimizer and its moving average; a state in the data folder is gone on from when `run.resume`."""

    def __init__(self, run: Run, *, state: str = "painter.pt") -> None:
        self.unet, self.seen, self.path = UNet2DConditionModel(**UNET).to(run.device), 0, run.data / state
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


def velocity_loss(unet: UNet2DConditionModel, latents: Tensor, said: Tensor, *, levels: Tensor, run: Run) -> Tensor:
    """Mean squared error of the velocity; half the steps are drawn from the noisy end, where the caption decides.

    Latents float [N, 4, H, W], features [N, 77, 128], cumulative alphas [1000]. Above the native size an even shade is added
    to the noise: a large picture's mean colour would otherwise still show at the noisiest step, and be believed there.
    """
    uniform = torch.rand(len(latents), device=latents.device)
    steps = (999 * torch.where(torch.rand_like(uniform) < 0.5, uniform, uniform.sqrt())).round().long()
    signal, noise_share = levels[steps].sqrt().view(-1, 1, 1, 1), (1 - levels[steps]).sqrt().view(-1, 1, 1, 1)
    noise = torch.randn_like(latents)
    if latents[0, 0].numel() > NATIVE:
        noise = noise + SHADE * torch.randn_like(latents[:, :, :1, :1])
    with run.autocast():
        velocity = unet(signal * latents + noise_share * noise, steps, said).sample
    return F.mse_loss(velocity.float(), signal * noise - noise_share * latents)
