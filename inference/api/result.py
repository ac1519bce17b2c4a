"""What comes back: encoded pictures, how they were made, and what this engine has on its shelves."""

import msgspec


class ImageResult(msgspec.Struct, frozen=True):
    """One finished picture. `data` is a whole PNG that carries `infotext` under the key `parameters`."""

    data: bytes
    width: int
    height: int
    seed: int
    infotext: str


class Timings(msgspec.Struct, frozen=True):
    """Seconds of wall time between Started and Finished, and the model calls (UNet rows) that were spent."""

    seconds: float
    rows: int


class ModelFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A weights file that was found.

    `name` is the webui's (path below its folder without the ending), `hash` the first ten digits of the file's sha256,
    `family` one of sd1, sd2, sdxl, unknown. `native` is the side in pixels that the model was trained for.
    `alias` and `triggers` are for LoRAs.
    """

    name: str
    path: str
    hash: str
    family: str
    native: int = 512
    alias: str = ""
    triggers: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """A file that cannot be used: where it lies and, in a sentence, why and what would be right."""

    path: str
    sentence: str


class Inventory(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that the engine found, each list in natural order."""

    checkpoints: tuple[ModelFile, ...] = ()
    vaes: tuple[ModelFile, ...] = ()
    loras: tuple[ModelFile, ...] = ()
    embeddings: tuple[ModelFile, ...] = ()
    upscalers: tuple[ModelFile, ...] = ()
    problems: tuple[Problem, ...] = ()


class Device(msgspec.Struct, frozen=True):
    """The machine that paints. `memory` is in bytes; `dtype` is the UNet's."""

    name: str
    kind: str
    memory: int
    dtype: str
