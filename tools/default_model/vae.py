"""Train the KL autoencoder. `part="decoder"` keeps the encoder as it is, so that the painter can train meanwhile."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from tools.default_model.shapes import VAE
from tools.default_model.training import MovingAverage, Run, load_state, rate_at, save_state
from tools.default_model.world import all_scenes, compose, load_sprites, training_scenes


def picture_bank(data: Path, *, rounds: int, seed: int, held_out: bool = False) -> Tensor:
    """Pictures of every training scene (or every held-out one), uint8 [N, 3, 128, 128]."""
    sprites = load_sprites(data / "sprites.npz")
    scenes = [s for s in all_scenes() if s.held_out] if held_out else training_scenes()
    drawn = [compose(s, sprites=sprites, seed=seed + 7919 * k + i) for k in range(rounds) for i, s in enumerate(scenes)]
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


def train(run: Run) -> None:
    """Train for the asked minutes on random crops and leave `vae.pt` in the data folder."""
    run.start()
    vae = AutoencoderKL(**VAE)
    path, seen = run.data / "vae.pt", 0
    old = load_state(path) if run.resume and path.exists() else None
    if old is not None:
        vae.load_state_dict(old["model"])
        seen = old["seen"]
    vae = vae.to(run.device)
    only_decoder = run.part == "decoder"
    trained = [vae.post_quant_conv, vae.decoder] if only_decoder else [vae]
    vae.requires_grad_(requires_grad=False)
    for module in trained:
        module.requires_grad_(requires_grad=True)
    average = MovingAverage(trained, decay=0.995)
    optimizer = torch.optim.AdamW([p for m in trained for p in m.parameters()], lr=run.rate, betas=(0.9, 0.99))
    if old is not None and old["part"] == run.part:
        optimizer.load_state_dict(old["optimizer"])
    pictures = picture_bank(run.data, rounds=2, seed=1)
    step, losses = 0, []
    for gone in run.clock():
        for group in optimizer.param_groups:
            group["lr"] = rate_at(gone, step=step, warmup=50, peak=run.rate)
        wanted = _crops(pictures, run)
        with run.autocast():
            posterior = vae.encode(wanted).latent_dist
            latents = posterior.mean.float()
            # a fixed little noise makes the decoder forgiving of what the painter gets slightly wrong
            noisy = latents + 0.05 * latents.std() * torch.randn_like(latents)
            made = vae.decode(noisy).sample.float()
        loss = reconstruction_loss(made, wanted) + 1e-4 * latents.square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        average.update()
        step, seen = step + 1, seen + len(wanted)
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"vae {gone:4.0%} step {step} crops {seen} loss {np.mean(losses[-100:]):.4f}", flush=True)
    with average.swapped_in():
        figures = measure(vae, run)
        state = {"model": {k: v.detach().cpu() for k, v in vae.state_dict().items()}, **figures}
    if old is not None and only_decoder:
        state |= {"mean": old["mean"], "std": old["std"]}
    save_state(path, {**state, "optimizer": optimizer.state_dict(), "part": run.part, "seen": seen})
    print(
        f"vae saved: {seen} crops, {figures['psnr']:.2f} dB on held-out scenes, std {figures['std'].tolist()}",
        flush=True,
    )


def _crops(pictures: Tensor, run: Run) -> Tensor:
    """A batch of 64-pixel crops, floats in -1..1, at one place for the whole batch."""
    chosen = pictures[torch.randint(len(pictures), (run.batch,))]
    top, left = (8 * int(torch.randint(9, ())) for _ in range(2))
    return to_signal(chosen[..., top : top + 64, left : left + 64]).to(run.device)


@torch.no_grad()
def measure(vae: AutoencoderKL, run: Run) -> dict[str, float | Tensor]:
    """PSNR in dB on held-out scenes, and the latents' mean and standard deviation a channel."""
    wanted = to_signal(picture_bank(run.data, rounds=1, seed=5, held_out=True)[:64]).to(run.device)
    latents = torch.cat([vae.encode(x).latent_dist.mode().float() for x in wanted.split(16)])
    made = torch.cat([vae.decode(z).sample.float().clamp(-1, 1) for z in latents.split(16)])
    error = F.mse_loss(made, wanted, reduction="none").mean((1, 2, 3))
    return {
        "psnr": float((10 * torch.log10(4 / error)).mean()),
        "mean": latents.mean((0, 2, 3)).cpu(),
        "std": latents.std((0, 2, 3)).cpu(),
    }
