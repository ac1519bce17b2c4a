"""Judge the exported file: held-out scenes in unseen phrasings, painted with Easel's defaults, read by the independent judge.

`main` prints a table and leaves `figures.json` beside the states and the contact sheets in docs/pictures.
"""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from tools.default_model.captions import evaluation_caption
from tools.default_model.drawing import SIDE
from tools.default_model.export import MODEL, samples_of
from tools.default_model.judge import FACTS, Judge, accuracy
from tools.default_model.sampling import Artist, from_file, through_vae
from tools.default_model.shapes import GUIDANCE
from tools.default_model.sheet import contact_sheet
from tools.default_model.text import facts
from tools.default_model.training import Run, load_state
from tools.default_model.vae import picture_bank
from tools.default_model.world import Scene, held_out_scenes, varied_scenes

PICTURES = Path(__file__).parents[2] / "docs/pictures"
SENTENCES = 72
SEEDS, SEEDED = 6, 8  # how many seeds of how many sentences are compared for their variety


@dataclass(frozen=True)
class Case:
    """What is painted once for every sentence; `wide` asks for counts, places and styles too."""

    side: int
    cfg: float = GUIDANCE
    wide: bool = False


CASES = (Case(128), Case(192), Case(256), Case(128, cfg=7.0), Case(256, cfg=7.0))
WIDE = (Case(128, wide=True), Case(256, wide=True))  # for a painter that was not taught the plain world alone
# case -> file, pictures, columns
SHEETS = {
    Case(128): ("default-model.png", 48, 8),
    Case(256): ("default-model-256.png", 20, 5),
    Case(256, wide=True): ("default-model-wide.png", 20, 5),
}


@dataclass(frozen=True)
class Row:
    """Shares of right answers for pictures of one kind; `seen` of count, place and style where those were asked."""

    name: str
    object: float
    colour: float
    background: float
    seen: dict[str, float]


DRAWINGS = 5
"""How often each scene is drawn for the gate: among 93 pictures a single one is more than a point."""


def chosen_scenes(*, wide: bool = False) -> list[Scene]:
    """Held-out scenes, the same each time; plain ones, or each with a count or a place of its own."""
    if wide:
        return varied_scenes(SENTENCES, seed=13, held_out=True, plain=0.0)
    left = held_out_scenes()
    random.Random(11).shuffle(left)
    return left[:SENTENCES]


def sentences(scenes: list[Scene], *, seed: int = 12) -> list[str]:
    """A sentence for each scene, in phrasings that training never shows."""
    chance = random.Random(seed)
    return [evaluation_caption(scene, chance=chance) for scene in scenes]


def load_judge(run: Run) -> Judge:
    """The judge of the data folder, ready to judge."""
    judge = Judge().eval().requires_grad_(requires_grad=False)
    judge.load_state_dict(load_state(run.data / "judge.pt")["model"])
    return judge


def judged(judge: Judge, pictures: Tensor, scenes: list[Scene], *, name: str, wide: bool) -> Row:
    """What the judge says of pictures [N, 3, H, W] of these scenes."""
    shares = dict(zip(FACTS, accuracy(judge, pictures, facts(scenes)), strict=True))
    plain = {name: shares.pop(name) for name in ("object", "colour", "background")}
    return Row(name=name, seen=shares if wide else {}, **plain)


def drawn_rows(run: Run, judge: Judge, vae: AutoencoderKL) -> list[Row]:
    """How right the judge reads drawn scenes of three sizes, before and after the VAE: the VAE's gate."""
    rows, plain = [], run.part == "plain"
    for side in (SIDE, 3 * SIDE // 2, 2 * SIDE):
        scenes = held_out_scenes() * DRAWINGS if plain else varied_scenes(150 * DRAWINGS, seed=17, held_out=True)
        drawn = picture_bank(run.data, scenes, seed=700_000, size=(side, side), still=plain)
        again = through_vae(vae, drawn)
        rows.append(judged(judge, drawn, scenes, name=f"drawn, {side} px", wide=not plain))
        rows.append(judged(judge, again, scenes, name=f"the same through the VAE, {side} px", wide=not plain))
    return rows


def painted_row(judge: Judge, artist: Artist, case: Case) -> tuple[Row, Tensor, list[str]]:
    """Figures, pictures and sentences of one case."""
    scenes = chosen_scenes(wide=case.wide)
    said = sentences(scenes)
    pictures = artist.paint(said, seed=5, size=(case.side, case.side), cfg=case.cfg)
    name = f"painted, {case.side} px, guidance {case.cfg:g}{', wide' if case.wide else ''}"
    return judged(judge, pictures, scenes, name=name, wide=case.wide), pictures, said


def variety(pictures: Tensor) -> float:
    """Mean distance of two of the pictures [N, 3, H, W], as the root of the mean squared difference, in 0..255."""
    flat = pictures.float().flatten(1)
    return float((torch.pdist(flat) / flat.shape[1] ** 0.5).mean())


def seeds_vary(run: Run, artist: Artist) -> dict[str, float]:
    """Variety over seeds, a mean over sentences: of painted pictures, and of drawn ones, which are what there is to learn."""
    scenes = chosen_scenes()[:SEEDED]
    painted = [variety(artist.paint([said] * SEEDS, seed=100)) for said in sentences(scenes)]
    drawn = [variety(picture_bank(run.data, [s] * SEEDS, seed=800_000, still=run.part == "plain")) for s in scenes]
    return {"painted": round(sum(painted) / SEEDED, 1), "drawn": round(sum(drawn) / SEEDED, 1)}


def table(rows: list[Row]) -> str:
    """The figures as a table in Markdown."""
    names = ("object", "colour", "background", *FACTS[3:])
    lines = [f"| judged on | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        shares = {**asdict(row), **row.seen}
        cells = (f"{100 * shares[name]:.0f} %" if name in shares else "" for name in names)
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(run: Run) -> None:
    """Print and keep the figures, and draw the contact sheets."""
    run.start()
    judge, artist = load_judge(run), from_file(MODEL)
    rows = drawn_rows(run, judge, artist.vae)
    for case in CASES if run.part == "plain" else CASES + WIDE:
        row, pictures, said = painted_row(judge, artist, case)
        rows.append(row)
        print(f"{row.name}: {row}", flush=True)
        if case in SHEETS:
            name, many, columns = SHEETS[case]
            contact_sheet(pictures[:many], said[:many], path=PICTURES / name, columns=columns)
    figures = {
        "sentences": SENTENCES,
        "samples seen": samples_of(MODEL),
        "variety over seeds": seeds_vary(run, artist),
        "rows": [asdict(row) for row in rows],
    }
    print(table(rows), json.dumps(figures["variety over seeds"]), sep="\n\n")
    (run.data / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
