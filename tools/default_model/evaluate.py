"""Judge the exported file: held-out scenes in unseen phrasings, painted as Easel paints, read by the independent judge."""

import json
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image, ImageDraw
from torch import Tensor

from tools.default_model.captions import evaluation_caption
from tools.default_model.export import MODEL, load_exported
from tools.default_model.judge import Judge, accuracy
from tools.default_model.painter import signal_levels
from tools.default_model.shapes import SCALE
from tools.default_model.text import Vocabulary, facts
from tools.default_model.training import Run, load_state
from tools.default_model.vae import picture_bank, to_signal
from tools.default_model.world import Scene, held_out_scenes

SHEET = Path(__file__).parents[2] / "docs/pictures/default-model.png"
SENTENCES, STEPS, CFG_SCALE = 72, 20, 5.0


@torch.no_grad()
def paint(
    unet: UNet2DConditionModel, spoken: Tensor, empty: Tensor, *, seed: int, steps: int = STEPS, cfg: float = CFG_SCALE
) -> Tensor:
    """Euler in sigma space from 14.6 with guidance; text features [N, 77, 128] to latents [N, 4, 16, 16] of the VAE's scale."""
    levels = signal_levels()
    times = torch.linspace(999, 0, steps)
    table = ((1 - levels) / levels).sqrt()
    low = times.floor().long()
    sigmas = table[low].log().lerp(table[(low + 1).clamp(max=999)].log(), times - low).exp()
    sigmas = torch.cat([sigmas, sigmas.new_zeros(1)])
    x = sigmas[0] * torch.randn(len(spoken), 4, 16, 16, generator=torch.Generator().manual_seed(seed))
    rows = torch.cat([spoken, empty.expand_as(spoken)])
    for time, sigma, following in zip(times, sigmas[:-1], sigmas[1:], strict=True):
        width = (1 + sigma**2).sqrt()
        velocity = unet(torch.cat([x, x]) / width, time, rows).sample
        denoised = torch.cat([x, x]) / width**2 - velocity * sigma / width
        asked, free = denoised.chunk(2)
        guided = free + cfg * (asked - free)
        x = guided + (x - guided) * (following / sigma)
    return x


@torch.no_grad()
def to_pictures(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Latents of the model's scale to uint8 pictures [N, 3, 128, 128]."""
    made = torch.cat([vae.decode(part / SCALE).sample for part in latents.split(16)])
    return ((made + 1) * 127.5).round().clamp(0, 255).byte()


@torch.no_grad()
def through_vae(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Uint8 pictures after encoding and decoding."""
    return to_pictures(
        vae, torch.cat([vae.encode(to_signal(p)).latent_dist.mode() for p in pictures.split(16)]) * SCALE
    )


def chosen_scenes() -> list[Scene]:
    """Held-out scenes, the same each time, spread evenly over the labels as far as there are enough."""
    left = held_out_scenes()
    random.Random(11).shuffle(left)
    return left[:SENTENCES]


def main(run: Run) -> None:
    """Print the figures, keep them as JSON beside the states, and draw the contact sheet."""
    run.start()
    unet, vae, text = load_exported(MODEL)
    judge = Judge().eval()
    state = load_state(run.data / "judge.pt")
    judge.load_state_dict(state["model"])
    words, scenes, chance = Vocabulary([0]), chosen_scenes(), random.Random(12)
    said = [evaluation_caption(scene, chance=chance) for scene in scenes]
    with torch.no_grad():
        spoken, empty = text(words.tokens(said)).last_hidden_state, text(words.tokens([""])).last_hidden_state
    drawn = picture_bank(run.data, rounds=1, seed=700_000, held_out=True)
    known = facts(held_out_scenes())
    painted = to_pictures(vae, paint(unet, spoken, empty, seed=5))
    figures = {
        "sentences": len(said),
        "drawn": accuracy(judge, drawn, known),
        "drawn through the VAE": accuracy(judge, through_vae(vae, drawn), known),
        "painted": accuracy(judge, painted, facts(scenes)),
        "painted samples seen": load_state(run.data / "painter.pt")["seen"],
    }
    print(json.dumps(figures, indent=1))
    (run.data / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    contact_sheet(painted[:48], said[:48])


def contact_sheet(pictures: Tensor, said: list[str], *, path: Path = SHEET, columns: int = 8) -> None:
    """Write the pictures with their sentences below, two lines each."""
    cell, rows = 140, -(-len(said) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * (cell + 24)), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (picture, sentence) in enumerate(zip(pictures, said, strict=True)):
        left, top = index % columns * cell + 6, index // columns * (cell + 24) + 4
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture.permute(1, 2, 0).numpy())), (left, top))
        pen.text((left, top + 129), sentence[:22], fill="black")
        pen.text((left, top + 139), sentence[22:44], fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)
