"""An independent judge: a small classifier of what a scene shows, trained on drawn scenes, never on the painter's output."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.default_model.drawing import SIDE, SQUARE
from tools.default_model.text import PARTS, facts
from tools.default_model.training import Run, load_state, rate_at, save_state
from tools.default_model.vae import picture_bank, to_signal
from tools.default_model.world import varied_scenes

FACTS = ("object", "colour", "background", "count", "place", "style")
# size of the pictures learnt from -> how many; the judge sees every size at 128 x 128
LEARNT = {(128, 128): 3600, (192, 128): 500, (128, 192): 500, (256, 256): 1400}


class Judge(nn.Module):
    """Pictures in -1..1, [N, 3, 128, 128], to scores of every fact of `facts`, one part after the other."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.AvgPool2d(2)]
        for inside, outside in ((3, 24), (24, 48), (48, 64), (64, 96)):
            layers += [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.BatchNorm2d(outside), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(96 * 16, sum(PARTS)))

    def forward(self, pictures: Tensor) -> Tensor:
        """Raw scores."""
        return self.layers(pictures)

    def answers(self, pictures: Tensor) -> Tensor:
        """The most likely facts, int64 [N, 6]."""
        return torch.stack([part.argmax(-1) for part in self(pictures).split(PARTS, dim=-1)], 1)


def train(run: Run) -> None:
    """Leave `judge.pt` with its accuracy on held-out scenes."""
    run.start()
    judge, path = Judge().to(run.device), run.data / "judge.pt"
    optimizer = torch.optim.AdamW(judge.parameters(), lr=run.rate)
    if run.resume and path.exists():
        old = load_state(path)
        judge.load_state_dict(old["model"])
        optimizer.load_state_dict(old["optimizer"])
    pictures, known = _lessons(run)
    for step, gone in enumerate(run.clock()):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(gone, step=step, warmup=20, peak=run.rate)
        chosen = torch.randint(len(pictures), (run.batch,))
        shown = _roughen(to_signal(pictures[chosen]).to(run.device))
        told = judge(shown).split(PARTS, dim=-1)
        answers = known[chosen].to(run.device).unbind(1)
        loss = sum((F.cross_entropy(p, a) for p, a in zip(told, answers, strict=True)), torch.zeros(()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    asked = varied_scenes(400, seed=900_000, held_out=True)
    shares = accuracy(judge.eval(), picture_bank(run.data, asked, seed=900_000), facts(asked))
    save_state(path, {"model": judge.state_dict(), "optimizer": optimizer.state_dict(), "accuracy": shares})
    print(f"judge saved: {shares} right on held-out drawn scenes", flush=True)


def _lessons(run: Run) -> tuple[Tensor, Tensor]:
    """Drawn pictures of every size as the judge sees them, uint8 [N, 3, 128, 128], and their facts [N, 6]."""
    pictures, known = [], []
    for place, (size, many) in enumerate(LEARNT.items()):
        scenes = varied_scenes(many, seed=500_000 + place)
        drawn = picture_bank(run.data, scenes, seed=100_000 * (place + 5), size=size)
        pictures.append(to_native(drawn))
        known.append(facts(scenes))
    return torch.cat(pictures), torch.cat(known)


def to_native(pictures: Tensor) -> Tensor:
    """Uint8 pictures of any size as uint8 [N, 3, 128, 128]; other proportions are squeezed."""
    if pictures.shape[-2:] == SQUARE:
        return pictures
    small = [F.interpolate(part.float(), (SIDE, SIDE), mode="area") for part in pictures.split(64)]
    return torch.cat(small).round().byte()


def _roughen(pictures: Tensor) -> Tensor:
    """Blur, noise and shifts, so that the judge looks at shapes and not at pixels."""
    if torch.rand(()) < 0.5:
        pictures = F.interpolate(F.avg_pool2d(pictures, 4), scale_factor=4.0, mode="bilinear")
    pictures = pictures.roll([int(torch.randint(-4, 5, ())), int(torch.randint(-4, 5, ()))], dims=(2, 3))
    return pictures + 0.1 * torch.rand(()) * torch.randn_like(pictures)


@torch.no_grad()
def accuracy(judge: Judge, pictures: Tensor, wanted: Tensor) -> list[float]:
    """Share of right answers a fact of `FACTS`, for uint8 pictures [N, 3, H, W] and facts int64 [N, 6]."""
    device = next(judge.parameters()).device
    told = torch.cat([judge.answers(to_signal(part).to(device)).cpu() for part in to_native(pictures).split(64)])
    return [round(float(share), 3) for share in (told == wanted).float().mean(0)]
