"""Paints `docs/pictures/preprocessors.png`: one picture, and the map that each preprocessor makes of it on this machine.

`python -m tools.annotators.sheet PICTURE [OUT]`. Preprocessors whose network is not in `models` are left out. The picture of the
documentation is NASA's portrait of Eileen Collins, in the public domain, as scikit-image distributes it (`astronaut.png`).
"""

import sys
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps

from inference.api.control import Preprocessor
from inference.api.preprocessors import PREPROCESSORS, PreprocessorRow, usable
from inference.engine.annotators.annotate import INPAINTING, annotate
from inference.engine.annotators.fitting import fit_annotation
from inference.engine.discovery import discover
from inference.engine.forward import Forwards
from inference.engine.shelf import Shelf

ROOT = Path(__file__).resolve().parents[2]
SHEET = ROOT / "docs" / "pictures" / "preprocessors.png"
SIDE, GAP, CAPTION, COLUMNS = 256, 12, 24, 5
PAPER, INK = (255, 255, 255), (40, 40, 46)
TOLD: dict[str, dict[str, float]] = {"tile_resample": {"threshold_a": 8.0}}
"""Sliders that are set, because a default would show nothing."""


def answered(asking: Generator[Any, Any, Any]) -> Any:
    """What a preprocessor returns, its networks run at once."""
    forwards, answer = Forwards(), None
    with torch.inference_mode():
        while True:
            try:
                wanted = asking.send(answer)
            except StopIteration as end:
                return end.value
            answer = forwards.apply(wanted.network, [wanted.inputs])


def shown(row: PreprocessorRow, picture: Image.Image, shelf: Shelf) -> Image.Image:
    """The map of `row`, on the sheet's square; what inpainting leaves out is hatched."""
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).ellipse(
        [side * part for part in (0.3, 0.02, 0.62, 0.4) for side in picture.size[:1]], fill=255
    )
    asked = Preprocessor(row.id, seed=3, **TOLD.get(row.id, {}))
    annotation = answered(annotate(picture, asked, mask=mask if row.id in INPAINTING else None, shelf=shelf))
    fitted = fit_annotation(annotation, size=(SIDE, SIDE), resize_mode=1)
    if fitted.mask is None:
        return fitted.picture
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    hatch = Image.fromarray(np.where((down + across) % 12 < 6, 120, 60).astype(np.uint8)).convert("RGB")
    return Image.composite(hatch, fitted.picture, fitted.mask)


def sheet(cells: list[tuple[str, Image.Image]]) -> Image.Image:
    """`cells` (caption, square) in rows."""
    rows = -(-len(cells) // COLUMNS)
    size = COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + CAPTION + GAP) + GAP
    canvas, font = Image.new("RGB", size, PAPER), ImageFont.load_default(15)
    draw = ImageDraw.Draw(canvas)
    for number, (caption, square) in enumerate(cells):
        left, top = GAP + number % COLUMNS * (SIDE + GAP), GAP + number // COLUMNS * (SIDE + CAPTION + GAP)
        canvas.paste(square, (left, top))
        draw.text((left, top + SIDE + 4), caption, fill=INK, font=font)
    return canvas


def main(source: Path, out: Path) -> None:
    """Write the sheet of the picture in `source`."""
    with Image.open(source) as opened, TemporaryDirectory() as cache:
        picture = opened.convert("RGB")
        shelf = Shelf(
            device=torch.device("cpu"),
            dtype=torch.float32,
            memory_limit=1 << 30,
            look=lambda: discover([ROOT / "models"], Path(cache)),
        )
        rows = usable(PREPROCESSORS, shelf.inventory)
        cells = [(row.label, shown(row, picture, shelf)) for row in rows if row.id != "none"]
        cells.insert(0, ("the picture", ImageOps.fit(picture, (SIDE, SIDE))))
    sheet(cells).quantize(256, dither=Image.Dither.NONE).save(out, optimize=True)  # a page is opened on slow lines too
    print(f"{out}: {len(cells)} pictures, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else SHEET)
