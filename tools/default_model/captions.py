"""Sentences for a scene. Training and evaluation use different phrasings, and never the same scene."""

import random

from tools.default_model.world import OBJECTS, Scene

TRAINING = (
    "{a} {noun} on {b} background",
    "{noun} {on} {background}",
    "{a} {noun}, {background} background",
    "a picture of {a} {noun} on {background}",
    "{a} {noun} with {b} background",
    "{background} background, {a} {noun}",
    "{a} {noun} in front of {b} background",
)
ON_WHITE = ("{a} {noun}", "{noun}", "a picture of {a} {noun}", "a drawing of {a} {noun}")
EVALUATION = (
    "{a} {noun} before {b} background",
    "a painting of {a} {noun} on {background}",
    "{a} {noun} against {b} background",
)


def caption(scene: Scene, *, chance: random.Random) -> str:
    """One of the training sentences for a scene."""
    noun = chance.choice((scene.label, scene.label, *OBJECTS[scene.label][1]))
    plain = scene.background == "white" and chance.random() < 0.6
    return _fill(chance.choice(ON_WHITE if plain else TRAINING), scene, noun=noun)


def evaluation_caption(scene: Scene, *, chance: random.Random) -> str:
    """A sentence in a phrasing that training never shows."""
    return _fill(chance.choice(EVALUATION), scene, noun=scene.label)


def _fill(pattern: str, scene: Scene, *, noun: str) -> str:
    words = f"{scene.colour} {noun}" if scene.colour else noun
    article = _article(words)
    on = "on"
    return pattern.format(
        a=article, noun=words, on=on, background=scene.background, b=f"{_article(scene.background)} {scene.background}"
    )


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"
