"""What comes back: encoded pictures, how they were made, and what this engine has on its shelves."""

import msgspec


class ImageResult(msgspec.Struct, frozen=True):
    """One finished picture. `data` is a whole PNG that carries `infotext` under the key `parameters`."""

    data: bytes
    width: int
    height: int
    seed: int
    infotext: str


class ControlMap(msgspec.Struct, frozen=True):
    """The map that a control followed, as its preprocessor made it. `unit` counts from 0; `data` is a whole PNG."""

    unit: int
    data: bytes


class Timings(msgspec.Struct, frozen=True):
    """Seconds of wall time between Started and Finished, and the model calls (UNet rows) that were spent."""

    seconds: float
    rows: int


class ModelFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A weights file that was found.

    `name` is the webui's: for checkpoints the path below the folder without the ending, for VAEs the file's name with it,
    for LoRAs, embeddings and the like the stem. `family` is one of sd1, sd2, sdxl, sdxl_refiner, unknown, and of other
    networks their kind; `native` the side in pixels that the model was trained for. `hash` is what the webui writes into
    parameter texts: ten digits of the sha256 for checkpoints and VAEs, twelve for embeddings and (of the content behind the
    header) for LoRAs; empty while a very large file has not been hashed yet. `sha256` is of the whole file, `old_hash` the
    webui's first kind (checkpoints).
    `vae` is the VAE that a checkpoint's own notes ask for. `alias`, `triggers`, `negative` and `weight` (0: none said)
    are for LoRAs, and `tags` are the words that one saw most often in training. `notes` is what is told beside the file and
    `preview` the path of a sample picture there, empty for none. `cfg_scale` is the guidance that a checkpoint's config
    asks for (0: none said). `bytes` is the file's size.
    """

    name: str
    path: str
    hash: str
    family: str
    native: int = 512
    alias: str = ""
    triggers: tuple[str, ...] = ()
    negative: str = ""
    weight: float = 0.0
    sha256: str = ""
    old_hash: str = ""
    vae: str = ""
    cfg_scale: float = 0.0
    bytes: int = 0
    tags: tuple[str, ...] = ()
    notes: str = ""
    preview: str = ""


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
    hypernetworks: tuple[ModelFile, ...] = ()
    controls: tuple[ModelFile, ...] = ()
    annotators: tuple[ModelFile, ...] = ()
    faces: tuple[ModelFile, ...] = ()
    problems: tuple[Problem, ...] = ()


class Device(msgspec.Struct, frozen=True):
    """The machine that paints. `memory` is in bytes; `dtype` is the UNet's."""

    name: str
    kind: str
    memory: int
    dtype: str
