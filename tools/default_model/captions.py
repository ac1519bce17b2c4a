"""Sentences for a scene. Training and evaluation use different phrasings, and never the same scene."""

import random

from tools.default_model.world import OBJECTS, Scene

TRAINING = (
    "{one} on {b} background",
    "{noun} on {background}",
    "{one}, {background} background",
    "a picture of {one} on {background}",
    "{one} with {b} background",
    "{background} background, {one}",
    "{one} in front of {b} background",
)
ON_WHITE = ("{one}", "{noun}", "a picture of {one}", "a drawing of {one}")
EVALUATION = (
    "{one} before {b} background",
    "a painting of {one} on {background}",
    "{one} against {b} background",
)
NUMBERS = {2: ("two", "2"), 3: ("three", "3")}
PLACE_WORDS = {
    "left": ("on the left", "left", "on the left side"),
    "right": ("on the right", "right", "on the right side"),
    "top": ("at the top", "top", "above"),
    "bottom": ("at the bottom", "bottom", "below"),
}
STYLE_WORDS = {"flat": ("flat style", "flat"), "3d": ("3d style", "3d", "fluent 3d style")}
FLAT_SAID = 0.1  # how often the usual style is named
PLURALS = {"fish": "fish", "kitty": "kitties", "puppy": "puppies"}


def caption(scene: Scene, *, chance: random.Random) -> str:
    """One of the training sentences for a scene."""
    noun = chance.choice((scene.label, scene.label, *OBJECTS[scene.label][1]))
    plain = scene.background == "white" and chance.random() < 0.6
    return _fill(chance.choice(ON_WHITE if plain else TRAINING), scene, noun=noun, chance=chance)


def evaluation_caption(scene: Scene, *, chance: random.Random) -> str:
    """A sentence in a phrasing that training never shows."""
    return _fill(chance.choice(EVALUATION), scene, noun=scene.label, chance=chance)


def _fill(pattern: str, scene: Scene, *, noun: str, chance: random.Random) -> str:
    if scene.count > 1:
        noun = PLURALS.get(noun, f"{noun}s")
    words = f"{scene.colour} {noun}" if scene.colour else noun
    tail = [chance.choice(PLACE_WORDS[scene.place])] if scene.place != "middle" else []
    if scene.style != "flat" or chance.random() < FLAT_SAID:
        style = chance.choice(STYLE_WORDS[scene.style])
        if chance.random() < 0.3:
            words = f"{style.removesuffix(' style')} {words}"
        else:
            tail.append(style)
    number = chance.choice(NUMBERS[scene.count]) if scene.count > 1 else None
    one = f"{number or _article(words)} {words}"
    if tail and tail[0].startswith(("on", "at")) and chance.random() < 0.5:  # "a cat on the left on a blue background"
        one, words = f"{one} {tail[0]}", f"{words} {tail[0]}"
        del tail[0]
    said = pattern.format(
        one=one,
        noun=f"{number} {words}" if number else words,
        background=scene.background,
        b=f"{_article(scene.background)} {scene.background}",
    )
    return ", ".join([said, *tail])


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"
