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
OBLONG = 1.3  # from this ratio of the sides on, several objects stand in a row or a column
# size -> share of the picture's shorter side, from and to
SHARES = {"usual": (0.68, 0.84), "small": (0.38, 0.46), "large": (0.94, 1.0)}
PLACED = (0.48, 0.58)  # the share of an object that stands to one side
MOVED = 0.05  # how far the seed moves an object, as a share of the shorter side
TOWARD = {"middle": (0, 0), "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}

Sprites = dict[tuple[str, str], Image.Image]  # by label and style
Place = tuple[float, float, float]  # middle from the left and from the top, and side, in pixels


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


def compose(scene: Scene, *, sprites: Sprites, seed: int, size: tuple[int, int] = SQUARE) -> np.ndarray:
    """Draw a scene, uint8 [height, width, 3] for a `size` of (width, height). The seed moves, sizes and mirrors its objects."""
    chance = random.Random(seed)
    sprite = sprites[scene.label, scene.style]
    if scene.colour is not None:
        sprite = recolour(sprite, scene.colour)
    canvas = Image.new("RGB", size, PAINT[scene.background])
    for middle_x, middle_y, side in _places(scene, size=size, chance=chance):
        shown = sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else sprite
        shown = shown.resize((round(side), round(side)), Image.Resampling.BICUBIC)
        canvas.paste(shown, (round(middle_x - side / 2), round(middle_y - side / 2)), shown)
    return np.asarray(canvas)


def _places(scene: Scene, *, size: tuple[int, int], chance: random.Random) -> list[Place]:
    """Where the scene's objects stand in a picture of this size, moved a little by chance."""
    width, height = size
    shorter = min(size)
    if scene.count > 1:
        spots, side = _spread(scene.count, width=width, height=height)
        side *= chance.uniform(0.9, 1.0)
        moved = 0.4 * MOVED * shorter
        return [(x + chance.uniform(-moved, moved), y + chance.uniform(-moved, moved), side) for x, y in spots]
    side = shorter * chance.uniform(*(SHARES[scene.size] if scene.place == "middle" else PLACED))
    moved = 0.02 * shorter if scene.size == "large" else MOVED * shorter
    right, down = TOWARD[scene.place]
    x = width / 2 + 0.84 * right * (width - side) / 2 + chance.uniform(-moved, moved)
    y = height / 2 + 0.84 * down * (height - side) / 2 + chance.uniform(-moved, moved)
    return [(x, y, side)]


def _spread(count: int, *, width: int, height: int) -> tuple[list[tuple[float, float]], float]:
    """Middles of two or three objects, and the side that fits: in a row, a column, or three as a triangle."""
    if max(width, height) < OBLONG * min(width, height):
        if count == 3:
            spots = [(0.5, 0.27), (0.27, 0.73), (0.73, 0.73)]
            return [(x * width, y * height) for x, y in spots], 0.45 * min(width, height)
        return [(x * width, 0.5 * height) for x in (0.265, 0.735)], 0.47 * min(width, height)
    steps = [(index + 0.5) / count for index in range(count)]
    side = min(0.94 * max(width, height) / count, 0.8 * min(width, height))
    if width > height:
        return [(step * width, 0.5 * height) for step in steps], side
    return [(0.5 * width, step * height) for step in steps], side
