"""Before and after for docs/upscaling.md: `python -m tools.upscaling_picture` writes docs/pictures/upscaling.png.

Cuts two subjects out of the default model's own pictures, and lays side by side what each is four times as large: its pixels,
by Lanczos, and by the network that is shipped, through the code that enlarges for everybody.
"""

from pathlib import Path

import torch
from PIL import Image, ImageDraw

from inference.engine.upscale import enlarge
from inference.engine.upscalers.loading import load_upscaler
from inference.engine.work import Borrow

ROOT = Path(__file__).parents[1]
SOURCE, RESULT = ROOT / "docs/pictures/default-model-256.png", ROOT / "docs/pictures/upscaling.png"
NETWORK = ROOT / "models/RealESRGAN/realesr-animevideov3-x4.fp16.safetensors"
SUBJECTS = ((347, 372), (885, 368))
SIDE, LINE = 104, 26
WAYS = (("before (its pixels)", "nearest"), ("Lanczos", "lanczos"), ("realesr-animevideov3", "net"))


def enlarged(picture: Image.Image, upscaler: str) -> Image.Image:
    """`picture` four times as large."""
    work, answer = enlarge(picture, upscaler=upscaler, scale=4.0), None
    with torch.inference_mode():
        while True:
            try:
                wanted = work.send(answer)
            except StopIteration as end:
                return end.value
            if isinstance(wanted, Borrow):
                answer = load_upscaler(NETWORK, device=torch.device("cpu"), dtype=torch.float32)
            else:
                answer = wanted.network(wanted.tile)


def main() -> None:
    """Draw the sheet."""
    large = 4 * SIDE
    sheet = Image.new("RGB", (len(WAYS) * (large + 8) - 8, len(SUBJECTS) * (large + 8) + LINE - 8), "white")
    pen = ImageDraw.Draw(sheet)
    with Image.open(SOURCE) as source:
        subjects = [source.convert("RGB").crop((left, top, left + SIDE, top + SIDE)) for left, top in SUBJECTS]
    for column, (label, upscaler) in enumerate(WAYS):
        pen.text((column * (large + 8) + 2, 2), label, fill="black", font_size=17)
        for row, subject in enumerate(subjects):
            sheet.paste(enlarged(subject, upscaler), (column * (large + 8), LINE + row * (large + 8)))
    sheet.quantize(256).save(RESULT, optimize=True)
    print(RESULT.relative_to(ROOT))


if __name__ == "__main__":
    main()
