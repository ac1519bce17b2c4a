"""What the model tools are asked and what they say: the words between whoever starts them and the program that works.

Owns those messages and their frames, which are the wire's. One command goes in; reports come out, the last of which is an
`Outcome`. Refuses to know what a tensor is, and what a person reads about it.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from inference.api.wire import HEADER, MAX_FRAME, WireError

Precision = Literal["fp32", "fp16", "bf16", "fp8_e4m3fn", "fp8_e5m2"]
Pruning = Literal["no", "no-ema", "ema-only"]
Treatment = Literal["convert", "copy", "delete"]
Method = Literal["weighted-sum", "add-difference", "none"]
Format = Literal["safetensors", "ckpt"]
Letter = Literal["A", "B", "C", "none"]

PRECISIONS: Final[Mapping[Precision, str]] = {
    "fp32": "Every number as it is",
    "fp16": "Half precision: half the size, the usual choice",
    "bf16": "Half the size with a wider range and fewer digits",
    "fp8_e4m3fn": "A quarter of the size, with visible losses",
    "fp8_e5m2": "A quarter of the size, wider and coarser still",
}
"""What a checkpoint can be converted to."""
METHODS: Final[Mapping[Method, str]] = {
    "weighted-sum": "A × (1 − M) + B × M",
    "add-difference": "A + M × (B − C)",
    "none": "A alone, to change its precision, its VAE or its format",
}
"""How checkpoints can be merged."""


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write the checkpoint at `source` (an absolute path) anew into its folder; what is not asked for stays as it is.

    `name` has no ending; empty for the one that tells what was done. `bake_vae` is the path of a VAE. `fix_clip` writes the
    right position ids; `drop_junk` leaves out what trainers left in. `overwrite` allows a target that exists, never the source.
    """

    source: str
    precision: Precision = "fp16"
    pruning: Pruning = "no"
    unet: Treatment = "convert"
    vae: Treatment = "convert"
    clip: Treatment = "convert"
    other: Treatment = "convert"
    fix_clip: bool = False
    drop_junk: bool = False
    bake_vae: str = ""
    formats: tuple[Format, ...] = ("safetensors",)
    name: str = ""
    overwrite: bool = False


class Merge(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Merge the checkpoints at `a`, `b` and `c` (absolute paths) into a new one in the folder of `a`.

    `discard` is a regular expression; weights whose names it finds are left out. `config` says whose config is copied.
    """

    a: str
    b: str = ""
    c: str = ""
    method: Method = "weighted-sum"
    multiplier: float = 0.3
    half: bool = False
    bake_vae: str = ""
    discard: str = ""
    config: Letter = "A"
    format: Format = "safetensors"
    name: str = ""
    overwrite: bool = False


class Check(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Read every file of the models folders `roots`; `cache` is the folder of what is remembered of them."""

    roots: tuple[str, ...]
    cache: str


class Identify(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Say what the file at `path` is. `shelf` is what it is said to be; empty where that is to be found out."""

    path: str
    shelf: str = ""


class Advanced(msgspec.Struct, frozen=True, tag=True):
    """`done` of `total` bytes are over; `stage` says in a word or two what is done with them."""

    done: int
    total: int
    stage: str


class Opened(msgspec.Struct, frozen=True, tag=True):
    """A file at `path` is being written that is to vanish should the program end before it is done."""

    path: str


class Finding(msgspec.Struct, frozen=True, tag=True):
    """Something is wrong with the file at `path`: a sentence, and what to do about it. `grave`: it cannot be used like this."""

    path: str
    sentence: str
    advice: str = ""
    grave: bool = True


class Made(msgspec.Struct, frozen=True, tag=True):
    """Files that were written (absolute paths), their bytes together, and sentences about what was met on the way."""

    paths: tuple[str, ...]
    bytes: int
    notes: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True, tag=True):
    """All files were read: how many, and their bytes together."""

    files: int
    bytes: int


class Identified(msgspec.Struct, frozen=True, tag=True):
    """A usable file: the shelf it belongs to, that shelf's folder below `models`, what to call it, and its family's id."""

    shelf: str
    folder: str
    label: str
    family: str = "unknown"


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Nothing was written; `message` is a sentence for the person, or more."""

    message: str


Command = Convert | Merge | Check | Identify
Outcome = Made | Checked | Identified | Refused
Report = Advanced | Opened | Finding | Outcome

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def frame(message: Command | Report) -> bytes:
    """Encode `message` with its length in front. Raises WireError when it is too large to send."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise WireError(f"a {type(message).__name__} of {len(body):,} bytes does not fit a frame")
    return HEADER.pack(len(body)) + body


def decode_command(body: bytes) -> Command:
    """Body of a frame to a command. Raises WireError."""
    try:
        return _commands.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"not a command: {error}") from error


def decode_report(body: bytes) -> Report:
    """Body of a frame to a report. Raises WireError."""
    try:
        return _reports.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"not a report: {error}") from error
