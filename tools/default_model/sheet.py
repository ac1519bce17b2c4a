"""Contact sheets: pictures in a grid with their sentences below."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

MARGIN, LINE, LINES = 6, 12, 2


def contact_sheet(pictures: Tensor, said: list[str], *, path: Path, columns: int) -> None:
    """Write uint8 pictures [N, 3, H, W], all of one size, with at most two lines of their sentences each."""
    height, width = pictures.shape[-2:]
    across, down = width + 2 * MARGIN, height + 2 * MARGIN + LINE * LINES
    sheet = Image.new("RGB", (columns * across, -(-len(said) // columns) * down), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=LINE - 2)
    for index, (picture, sentence) in enumerate(zip(pictures, said, strict=True)):
        left, top = index % columns * across + MARGIN, index // columns * down + MARGIN
        sheet.paste(Image.fromarray(np.ascontiguousarray(picture.permute(1, 2, 0).numpy())), (left, top))
        for number, line in enumerate(_lines(sentence, pen=pen, font=font, width=width)):
            pen.text((left, top + height + 1 + number * LINE), line, fill="black", font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)


def _lines(
    sentence: str, *, pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> list[str]:
    """The sentence broken between words, as many lines as fit below a picture."""
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and pen.textlength(longer, font=font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines[:LINES]
