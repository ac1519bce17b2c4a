"""The second gate: a UNet from nothing, on four labels, must come to follow its captions before the real one is trained.

Each of the four is drawn as it is on white, so that only the caption can tell which is meant. Two things are asked at the
end: how much worse the UNet removes noise when the captions are exchanged, and whether the judge finds in its pictures
what the sentences asked for.
"""

import torch
from torch import Tensor

from tools.default_model.bank import Bank, Lesson
from tools.default_model.drawing import SQUARE
from tools.default_model.evaluate import load_judge
from tools.default_model.judge import Judge
from tools.default_model.painter import PainterTrainer, signal_levels, teach, velocity_loss
from tools.default_model.sampling import Artist, from_states
from tools.default_model.text import facts
from tools.default_model.training import Run
from tools.default_model.vae import to_signal
from tools.default_model.world import Scene

FOUR = tuple(Scene(label, None, "white") for label in ("cat", "rocket", "heart", "tree"))
PROBED = 32  # pictures of each label that the error is taken on
PICTURES = 256  # drawn of the four; each differs in place, size and side
STATE = "overfit.pt"
GAP, RIGHT = 0.2, 0.9  # what is asked: the relative rise of the error, and the share of right objects
EACH = 8  # pictures of each label that are judged


def train(run: Run) -> None:
    """Train for the asked minutes, print both figures and leave `overfit.pt`. Ends with status 1 where the gate is shut."""
    run.start()
    bank = Bank(run, sizes={SQUARE: (1.0, 1.0, PICTURES)}, scenes=FOUR, plain=True)
    trainer = PainterTrainer(run, state=STATE)
    teach(trainer, bank, run, name="overfit")
    with trainer.average.swapped_in(), torch.random.fork_rng():
        gap = caption_gap(trainer, bank.of(FOUR * PROBED), run)
    right = objects_right(from_states(run, painter=STATE), load_judge(run))
    verdict = "the text steers" if gap >= GAP and right >= RIGHT else "the text does not steer enough"
    print(
        f"overfit of {len(FOUR)} labels, {trainer.seen} samples: exchanged captions raise the error by {gap:.1%} "
        f"(asked: {GAP:.0%}), {right:.1%} of {EACH * len(FOUR)} pictures show the object asked for (asked: {RIGHT:.0%}): "
        f"{verdict}",
        flush=True,
    )
    if verdict != "the text steers":
        raise SystemExit(1)


@torch.no_grad()
def caption_gap(trainer: PainterTrainer, lesson: Lesson, run: Run) -> float:
    """Error with every caption exchanged for another label's, over the error with the right one, less 1; same noise for both.

    `lesson` has the scenes in the order of `FOUR`, again and again.
    """
    levels = signal_levels().to(run.device)
    errors = []
    for said in (lesson.spoken, lesson.spoken.roll(1, dims=0)):
        torch.manual_seed(1)
        parts = zip(lesson.latents.split(32), said.split(32), strict=True)
        losses = [
            velocity_loss(trainer.unet, z.to(run.device), s.to(run.device), levels=levels, run=run) for z, s in parts
        ]
        errors.append(torch.stack(losses).mean().item())
    return errors[1] / errors[0] - 1


def objects_right(artist: Artist, judge: Judge) -> float:
    """Share of pictures of the four in which the judge finds the object asked for, among all that it knows."""
    scenes = FOUR * EACH
    pictures: Tensor = artist.paint([scene.label for scene in scenes], seed=50)
    told = judge.answers(to_signal(pictures))[:, 0]
    return float((told == facts(list(scenes))[:, 0]).float().mean())
