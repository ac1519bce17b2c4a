"""What the painter knows: objects, colours and backgrounds, and how a picture of them is composed.

The world is narrow on purpose: it is what two processor cores can teach. A wider one is more rows in `OBJECTS`.
"""

import io
import json
import random
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image

SIDE = 128  # pixels of a picture's side
STYLE = "fluent flat"

# label -> (the sprite's label in the picture set, other words for it in captions)
OBJECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "apple": ("red apple", ()),
    "cat": ("cat face", ("kitty",)),
    "dog": ("dog face", ("puppy",)),
    "house": ("house", ("home",)),
    "tree": ("evergreen tree", ("fir",)),
    "fish": ("fish", ()),
    "flower": ("tulip", ("tulip",)),
    "star": ("star", ()),
    "heart": ("red heart", ()),
    "balloon": ("balloon", ()),
    "rocket": ("rocket", ("spaceship",)),
    "mushroom": ("mushroom", ()),
    "frog": ("frog", ()),
    "umbrella": ("umbrella", ()),
    "cup": ("hot beverage", ("mug",)),
    "bird": ("bird", ()),
    "moon": ("crescent moon", ("crescent",)),
    "crown": ("crown", ()),
    "car": ("automobile", ("automobile",)),
    "ghost": ("ghost", ()),
}
LABELS = tuple(OBJECTS)

PAINT: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 210, 50),
    "green": (60, 170, 70),
    "blue": (45, 110, 220),
    "purple": (140, 70, 190),
    "pink": (245, 140, 180),
    "brown": (130, 80, 45),
    "black": (25, 25, 28),
}
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")  # of objects
BACKGROUNDS = ("white", "yellow", "green", "blue", "pink", "black")

Sprites = dict[str, Image.Image]


@dataclass(frozen=True)
class Scene:
    """One object; `colour` None leaves it as it was drawn."""

    label: str
    colour: str | None
    background: str

    @property
    def held_out(self) -> bool:
        """Whether no picture and no caption of this combination may be trained on: about one coloured scene in ten."""
        named = f"{self.label}|{self.colour}|{self.background}"
        return self.colour is not None and crc32(named.encode()) % 10 == 0


def all_scenes() -> list[Scene]:
    """Every scene of the world; an object never has its background's colour."""
    return [
        Scene(label, colour, background)
        for label in LABELS
        for colour in (None, *COLOURS)
        for background in BACKGROUNDS
        if colour != background
    ]


def training_scenes() -> list[Scene]:
    """The scenes that may be trained on."""
    return [scene for scene in all_scenes() if not scene.held_out]


def held_out_scenes() -> list[Scene]:
    """The scenes that only the evaluation asks for."""
    return [scene for scene in all_scenes() if scene.held_out]


def load_sprites(path: Path) -> Sprites:
    """One RGBA drawing a label, from the file that `build` wrote."""
    packed = np.load(path)
    blob, offsets = packed["blob"].tobytes(), packed["offsets"]
    wanted = {source: label for label, (source, _) in OBJECTS.items()}
    found: Sprites = {}
    for index, about in enumerate(json.loads(packed["meta"].tobytes())):
        label = wanted.get(about["label"])
        if label is not None and about["style"] == STYLE:
            found[label] = Image.open(io.BytesIO(blob[offsets[index] : offsets[index + 1]])).convert("RGBA")
    missing = set(LABELS) - set(found)
    if missing:
        raise ValueError(
            f"{path} has no '{STYLE}' drawing of: {', '.join(sorted(missing))}. Run the build command again."
        )
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


def compose(scene: Scene, *, sprites: Sprites, seed: int) -> np.ndarray:
    """Draw a scene, uint8 [128, 128, 3]. The seed moves the object by up to 2 pixels and sizes it by up to 2.5 %."""
    chance = random.Random(seed)
    sprite = sprites[scene.label]
    if scene.colour is not None:
        sprite = recolour(sprite, scene.colour)
    side = round(SIDE * chance.uniform(0.78, 0.82))
    corner = tuple((SIDE - side) // 2 + chance.randint(-2, 2) for _ in range(2))
    canvas = Image.new("RGB", (SIDE, SIDE), PAINT[scene.background])
    sprite = sprite.resize((side, side), Image.Resampling.BICUBIC)
    canvas.paste(sprite, corner, sprite)
    return np.asarray(canvas)
