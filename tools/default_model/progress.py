"""Judge the training states as they stand: the gate of the VAE, and the painter where there is one, before any export."""

import random

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tools.default_model.captions import evaluation_caption
from tools.default_model.evaluate import STEPS, chosen_scenes, contact_sheet, paint, through_vae, to_pictures
from tools.default_model.export import fold_scale
from tools.default_model.judge import Judge, accuracy
from tools.default_model.shapes import UNET, VAE
from tools.default_model.text import Vocabulary, facts, small_text_model
from tools.default_model.training import Run, load_state
from tools.default_model.vae import picture_bank
from tools.default_model.world import held_out_scenes


@torch.no_grad()
def main(run: Run) -> None:
    """Print shares of right objects, colours and backgrounds, and leave `progress.png` in the data folder."""
    run.start()
    judge, state = Judge().eval(), load_state(run.data / "vae.pt")
    judge.load_state_dict(load_state(run.data / "judge.pt")["model"])
    vae = AutoencoderKL(**VAE).eval()
    vae.load_state_dict(fold_scale(state["model"], mean=state["mean"], std=state["std"]))
    drawn, known = picture_bank(run.data, rounds=1, seed=700_000, held_out=True), facts(held_out_scenes())
    print(f"drawn {accuracy(judge, drawn, known)}, through the VAE {accuracy(judge, through_vae(vae, drawn), known)}")
    if not (run.data / "painter.pt").exists():
        return
    painter, text = load_state(run.data / "painter.pt"), load_state(run.data / "text.pt")
    unet = UNet2DConditionModel(**UNET).eval()
    for parameter, value in zip(unet.parameters(), painter["average"], strict=True):
        parameter.copy_(value)
    words, chance, scenes = Vocabulary(text["known"]), random.Random(12), chosen_scenes()
    speaker = small_text_model(len(words.known)).eval()
    speaker.load_state_dict(text["model"])
    said = [evaluation_caption(scene, chance=chance) for scene in scenes]
    spoken, empty = (speaker(words.rows(s)).last_hidden_state for s in (said, [""]))
    pictures = to_pictures(vae, paint(unet, spoken, empty, seed=5))
    print(f"painted at {painter['seen']} samples, {STEPS} steps: {accuracy(judge, pictures, facts(scenes))}")
    contact_sheet(pictures[:48], said[:48], path=run.data / "progress.png")
