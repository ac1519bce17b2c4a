"""Draw a scene: sprites, recoloured, sized, turned and placed on a plain background."""

import io
import json
import random
from pathlib import Path

import numpy as np
from PIL import Image

from tools.default_model.world import LABELS, OBJECTS, PAINT, STYLES, Scene

SIDE = 128  # pixels of a native picture's side
SQUARE = (SIDE, SIDE)
CELL = 8  # pixels of a latent's side
# Sides of an object: it is as large in a picture of 256 pixels as in one of 128, and stands on the same part of a cell, so
# that its latents are the same ones elsewhere. A UNet that can draw it once can then draw it in every size and place.
USUAL, SMALL = 104, 56
EDGE = 4  # pixels that are kept free at the border
OBLONG = 1.3  # from this ratio of the sides on, three objects stand in a row or a column
TOWARD = {"middle": (0, 0), "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}

Sprites = dict[tuple[str, str], Image.Image]  # by label and style
Place = tuple[int, int, int]  # corner from the left and from the top, and side, in pixels


def load_sprites(path: Path) -> Sprites:
    """One RGBA drawing a label and style, from the file that `build` wrote. Raises ValueError naming what is missing."""
    packed = np.load(path)
    blob, offsets = packed["blob"].tobytes(), packed["offsets"]
    labels = {source: label for label, (source, _) in OBJECTS.items()}
    styles = {source: style for style, source in STYLES.items()}
    found: Sprites = {}
    for index, about in enumerate(json.loads(packed["meta"].tobytes())):
        label, style = labels.get(about["label"]), styles.get(about["style"])
        if label is not None and style is not None:
            picture = Image.open(io.BytesIO(blob[offsets[index] : offsets[index + 1]])).convert("RGBA")
            found[label, style] = picture
    missing = {f"{label} ({style})" for label in LABELS for style in STYLES if (label, style) not in found}
    if missing:
        raise ValueError(f"{path} has no drawing of: {', '.join(sorted(missing))}. Run the build command again.")
    return found


def recolour(sprite: Image.Image, colour: str) -> Image.Image:
    """Keep a drawing's light and shade and give it another hue: dark parts toward black, bright parts toward white."""
    pixels = np.asarray(sprite).astype(np.float32)
    light = pixels[..., :3] @ np.array([0.3, 0.59, 0.11], np.float32) / 255
    solid = pixels[..., 3] > 100
    middle = float(np.clip(np.median(light[solid]) if solid.any() else 0.5, 0.25, 0.8))
    shade = np.minimum(light / middle, 1)[..., None]
    gleam = 0.75 * np.maximum((light - middle) / (1 - middle), 0)[..., None]
    painted = np.array(PAINT[colour], np.float32) * shade * (1 - gleam) + 255 * gleam
    pixels[..., :3] = 0.9 * painted + 0.1 * pixels[..., :3]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")


def compose(
    scene: Scene, *, sprites: Sprites, seed: int, size: tuple[int, int] = SQUARE, still: bool = False
) -> np.ndarray:
    """Draw a scene, uint8 [height, width, 3] for a `size` of (width, height).

    The seed moves its objects by whole cells, as far as there is room, and by a pixel; a `still` one stays in the middle.
    """
    chance = random.Random(seed)
    sprite = sprites[scene.label, scene.style]
    if scene.colour is not None:
        sprite = recolour(sprite, scene.colour)
    canvas = Image.new("RGB", size, PAINT[scene.background])
    for left, top, side in _places(scene, size=size, chance=chance, cells=0 if still else 1):
        shown = sprite.resize((side, side), Image.Resampling.BICUBIC)
        canvas.paste(shown, (left + chance.randint(-1, 1), top + chance.randint(-1, 1)), shown)
    return np.asarray(canvas)


def _places(scene: Scene, *, size: tuple[int, int], chance: random.Random, cells: int) -> list[Place]:
    """Where the scene's objects stand in a picture of this size."""
    if scene.count > 1:
        return _spread(scene.count, size=size, aside=CELL * chance.randint(-cells, cells))
    toward = TOWARD[scene.place]
    along = next((axis for axis in (0, 1) if toward[axis]), None)
    side = USUAL if along is None or size[along] >= 1.5 * SIDE else SMALL
    corner = [_middle(size[axis], side) + CELL * chance.randint(-cells, cells) for axis in (0, 1)]
    if along is not None:
        near = EDGE + CELL * chance.randint(0, cells)
        corner[along] = near if toward[along] < 0 else _last(size[along], side) - near + EDGE
    return [(corner[0], corner[1], side)]


def _spread(count: int, *, size: tuple[int, int], aside: int) -> list[Place]:
    """Two or three objects, in a row or column moved `aside`, or three as a triangle; as large as usual where they fit so."""
    width, height = size
    if max(size) >= OBLONG * min(size) or count == 2:
        axis = int(height > width)
        side = USUAL if size[axis] >= count * (USUAL + CELL) else SMALL
        across = _middle(size[1 - axis], side) + aside
        step = size[axis] / count
        ways = [_on_cell(step * (index + 0.5) - side / 2) for index in range(count)]
        return [(across, way, side) if axis else (way, across, side) for way in ways]
    side = USUAL if min(size) >= 2 * (USUAL + CELL) else SMALL
    near, far = (_on_cell(part * width / 4 - side / 2) for part in (1, 3))
    high, low = (_on_cell(part * height / 4 - side / 2) for part in (1, 3))
    return [(_middle(width, side), high, side), (near, low, side), (far, low, side)]


def _on_cell(corner: float) -> int:
    """The nearest corner that lies on the same part of a cell as all others."""
    return round((corner - EDGE) / CELL) * CELL + EDGE


def _middle(length: int, side: int) -> int:
    return _on_cell((length - side) / 2)


def _last(length: int, side: int) -> int:
    return _on_cell(length - side - EDGE)
