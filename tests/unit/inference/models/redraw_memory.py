"""A process that redraws a picture without any network, and says the most memory that it had and what it asked the networks for.

Answers are what an untrained network might give; everything else is the engine's own. Run as a module with the side of the
result in pixels; the source has an eighth of it, the tiles are painted at 768².
"""

import json
import resource
import sys
from typing import Any

import numpy as np
import torch
from PIL import Image

from inference.api.redraw import UltimateUpscale
from inference.api.request import Canvas, GenerationRequest, Inpaint, ModelRef, Prompt, SourcePicture
from inference.api.sampling import Sampling, Seeds
from inference.api.tiles import stages_of
from inference.engine.generate import Easel, Palette
from inference.engine.picture import encode_png
from inference.engine.redraw.pieces import Hand
from inference.engine.redraw.ultimate import ultimate
from inference.engine.upscalers.network import Traits, Upscaler
from inference.engine.upscalers.tiles import Tiling
from inference.engine.work import Borrow, Decode, Encode, Evaluate, TakeUp, UpscaleTile
from tests.unit.inference.core.paintings import tiny_model

TILE, PROCESS, SCALE = 736, 768, 4


def answer(wanted: Any, model: Any, network: Upscaler) -> Any:
    """What the loop would send back."""
    match wanted:
        case TakeUp():
            return model
        case Borrow():
            return network
        case Evaluate(x=x, sigma=sigma):
            return x / (1 + sigma**2)
        case Encode(pixels=pixels):
            return torch.zeros(1, 4, pixels.shape[-2] // 8, pixels.shape[-1] // 8)
        case Decode(latent=latent):
            return torch.zeros(1, 3, latent.shape[-2] * 8, latent.shape[-1] * 8)
        case UpscaleTile(tile=tile):
            return tile.repeat_interleave(SCALE, -1).repeat_interleave(SCALE, -2)
        case _:
            return None


def main() -> None:
    """Redraw, and print."""
    side = int(sys.argv[1])
    torch.set_num_threads(1)
    redraw = UltimateUpscale((side, side), upscaler="net", tile=(TILE, TILE), padding=32)
    part = Inpaint("m", only_masked=True)
    hands = [
        Hand(
            Easel(
                GenerationRequest(
                    prompt=Prompt("x"),
                    canvas=Canvas(*stage.process),
                    seeds=Seeds(1),
                    model=ModelRef("m"),
                    sampling=Sampling("euler", steps=2),
                    source=SourcePicture("p", 0.3, inpaint=part),
                ),
                0,
                torch.device("cpu"),
                Palette(),
            ),
            TakeUp(lambda: None),
        )
        for stage in stages_of(redraw)
    ]
    model = tiny_model()
    network = Upscaler(torch.nn.Identity(), Traits("compact", SCALE, Tiling(192, 32)))
    noise = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    painting, sent, largest = ultimate(Image.fromarray(noise), redraw, hands), None, 0
    with torch.inference_mode():
        while True:
            try:
                wanted = painting.send(sent)
            except StopIteration as end:
                picture = end.value
                break
            for name in ("x", "pixels", "latent", "tile"):
                tensor = getattr(wanted, name, None)
                if tensor is not None:
                    k = 1 if name in {"pixels", "tile"} else 8
                    largest = max(largest, tensor.shape[-1] * tensor.shape[-2] * k * k)
            sent = answer(wanted, model, network)
    file = encode_png(picture, seed=1, infotext="").data
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"resident": resident, "largest": largest, "size": picture.size, "file": len(file)}))


if __name__ == "__main__":
    main()
