"""Make `docs/pictures/redraw.png`: the default model's apple as it is, enlarged by the network, and redrawn tile by tile.

Run: python -m tools.redraw_picture. All of it is painted here, by what Easel ships.
"""

import hashlib
import io
import tempfile
from pathlib import Path

from PIL import Image

from inference.api.enlarging import UpscaleRequest
from inference.api.redraw import UltimateUpscale
from inference.api.request import Canvas, GenerationRequest, Guidance, ModelRef, Prompt, Request, SourcePicture
from inference.api.sampling import Sampling, Seeds
from inference.api.wire import EngineSettings, Event, Finished, Submit
from inference.engine.loop import Engine
from inference.engine.studio import Studio

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "pictures" / "redraw.png"
SIDE, TILE = 256, 192
WORDS = "a red apple on a blue background"


def painted(studio: Studio, request: Request, source: bytes = b"") -> bytes:
    """The file that the loop makes of `request`."""
    events: list[Event] = []
    engine = Engine(prepare=studio.prepare, send=events.append, forwards=studio.forwards, free=studio.free)
    engine.submit(Submit(1, request, {hashlib.sha256(source).hexdigest(): source} if source else {}))
    while engine.running:
        engine.turn()
    if not isinstance(events[-1], Finished):
        raise SystemExit(f"It was not painted: {events[-1]}")
    return events[-1].images[0].data


def main() -> None:
    """Paint, enlarge, redraw, and put the three side by side at the size of the last."""
    with tempfile.TemporaryDirectory() as cache:
        studio = Studio(EngineSettings(roots=(str(PROJECT / "models"),), cache=cache))
        model, upscaler = studio.inventory.checkpoints[0], studio.inventory.upscalers[0].name
        ref, sampling = ModelRef(model.name, model.hash), Sampling("euler", steps=20)
        first = painted(
            studio,
            GenerationRequest(
                prompt=Prompt(WORDS), canvas=Canvas(SIDE, SIDE), seeds=Seeds(7), model=ref, sampling=sampling
            ),
        )
        name = hashlib.sha256(first).hexdigest()
        enlarged = painted(studio, UpscaleRequest(picture=name, upscaler=upscaler, scale=2.0), first)
        redrawn = painted(
            studio,
            GenerationRequest(
                prompt=Prompt(""),
                canvas=Canvas(TILE, TILE),
                seeds=Seeds(7),
                model=ref,
                sampling=sampling,
                guidance=Guidance(1.0),
                source=SourcePicture(name, 0.2),
                redraw=UltimateUpscale((2 * SIDE, 2 * SIDE), upscaler=upscaler, tile=(TILE, TILE)),
            ),
            first,
        )
    sheet = Image.new("RGB", (6 * SIDE, 2 * SIDE))
    for number, data in enumerate((first, enlarged, redrawn)):
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        sheet.paste(picture.resize((2 * SIDE, 2 * SIDE), Image.Resampling.NEAREST), (2 * SIDE * number, 0))
    sheet.quantize(256, dither=Image.Dither.NONE).save(PAGE, optimize=True)  # a page is opened on slow lines too


if __name__ == "__main__":
    main()
