"""What the painter knows: objects, colours, backgrounds, counts, places and styles. How it is drawn is `drawing`'s.

The world is narrow on purpose: it is what two processor cores can teach. A wider one is more rows in `OBJECTS`.
"""

import random
from dataclasses import dataclass, replace
from zlib import crc32

# style in captions -> the name of the picture set; the first is drawn when nothing is said
STYLES = {"flat": "fluent flat", "3d": "3d"}

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
COUNTS = (1, 2, 3)
PLACES = ("middle", "left", "right", "top", "bottom")
# what a varied scene says beyond object, colour and background, and how often
VARIED = {"nothing": 0.56, "count": 0.22, "place": 0.22}
THREE_D = 0.12  # share of varied scenes


@dataclass(frozen=True)
class Scene:
    """Objects of one kind; `colour` None leaves them as they were drawn. Not both count and place are unusual."""

    label: str
    colour: str | None
    background: str
    count: int = 1
    place: str = "middle"
    style: str = "flat"

    @property
    def held_out(self) -> bool:
        """Whether no picture and no caption of this combination of object, colour and background may be trained on.

        About one coloured scene in ten, whatever its count, place and style.
        """
        named = f"{self.label}|{self.colour}|{self.background}"
        return self.colour is not None and crc32(named.encode()) % 10 == 0


def all_scenes() -> list[Scene]:
    """Every plain scene of the world; an object never has its background's colour."""
    return [
        Scene(label, colour, background)
        for label in LABELS
        for colour in (None, *COLOURS)
        for background in BACKGROUNDS
        if colour != background
    ]


def training_scenes() -> list[Scene]:
    """The plain scenes that may be trained on."""
    return [scene for scene in all_scenes() if not scene.held_out]


def held_out_scenes() -> list[Scene]:
    """The plain scenes that only the evaluation asks for."""
    return [scene for scene in all_scenes() if scene.held_out]


def varied(scene: Scene, *, chance: random.Random, plain: float = VARIED["nothing"]) -> Scene:
    """The scene with a count or a place of its own, except in the share `plain`; any of them may be in 3D."""
    style = "3d" if chance.random() < THREE_D else "flat"
    if chance.random() < plain:
        return replace(scene, style=style)
    if chance.random() < VARIED["count"] / (VARIED["count"] + VARIED["place"]):
        return replace(scene, style=style, count=chance.choice(COUNTS[1:]))
    return replace(scene, style=style, place=chance.choice(PLACES[1:]))


def varied_scenes(many: int, *, seed: int, held_out: bool = False, plain: float = VARIED["nothing"]) -> list[Scene]:
    """So many varied scenes of the training's combinations, or of the held-out ones; the same for the same seed."""
    chance = random.Random(seed)
    known = held_out_scenes() if held_out else training_scenes()
    return [varied(chance.choice(known), chance=chance, plain=plain) for _ in range(many)]
