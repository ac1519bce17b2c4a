"""Messages between bot and engine, and their framing: four bytes of big-endian length, then msgpack.

Owns the protocol. No pickle; a frame over `MAX_FRAME` or one that cannot be decoded ends the connection.
"""

import struct

import msgspec

from inference.api.errors import FailureCode
from inference.api.request import Request
from inference.api.result import ControlMap, Device, ImageResult, Inventory, Timings

VERSION = 1
MAX_FRAME = 64 * 1024 * 1024
"""Bytes in one frame."""
HEADER = struct.Struct(">I")


class WireError(Exception):
    """The other side sent something that is not ours."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that the worker needs to know; it reads no file of settings.

    `roots` are folders in the webui's layout (`Stable-diffusion/`, `VAE/`, …). `device` is auto, cpu or cuda. `threads` 0
    leaves torch's choice. `memory_limit` in bytes, 0 for all there is. `max_rows` bounds the UNet rows of one forward.
    `preview_every` is in steps, 0 for never. `cache` is a folder for hashes.
    """

    roots: tuple[str, ...]
    cache: str
    device: str = "auto"
    threads: int = 0
    memory_limit: int = 0
    max_rows: int = 16
    preview_every: int = 4


class Hello(msgspec.Struct, frozen=True, tag=True):
    """First command: version and settings."""

    settings: EngineSettings
    version: int = VERSION


class Submit(msgspec.Struct, frozen=True, tag=True):
    """Paint this. `attachments` maps sha256 to picture bytes; `lane` is who shares fairly with whom (a person)."""

    job: int
    request: Request
    attachments: dict[str, bytes] = {}
    lane: str = ""


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop this job; it answers Failed with the code `cancelled`."""

    job: int


class Refresh(msgspec.Struct, frozen=True, tag=True):
    """Look at the models folders again; answered with Ready."""


class Shutdown(msgspec.Struct, frozen=True, tag=True):
    """End the process, giving up what is running."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The engine can paint, and with what."""

    device: Device
    inventory: Inventory
    version: int = VERSION


class Started(msgspec.Struct, frozen=True, tag=True):
    """The first work of this job has been taken up."""

    job: int


class Progress(msgspec.Struct, frozen=True, tag=True):
    """`done` of `total` model calls are over; `stage` says in a word what runs (loading, painting, decoding, upscaling)."""

    job: int
    done: int
    total: int
    stage: str = "painting"


class Preview(msgspec.Struct, frozen=True, tag=True):
    """A small JPEG of picture `index` as it stands."""

    job: int
    index: int
    data: bytes
    width: int
    height: int


class Finished(msgspec.Struct, frozen=True, tag=True):
    """All pictures of the job, in order. `notes` are sentences for the card (an unknown LoRA, say).

    `maps` are those that the request's controls followed, where a preprocessor made them; each only once.
    """

    job: int
    images: tuple[ImageResult, ...]
    timings: Timings
    notes: tuple[str, ...] = ()
    maps: tuple[ControlMap, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The job is over without pictures; `message` is a sentence for the person."""

    job: int
    code: FailureCode
    message: str


class Alive(msgspec.Struct, frozen=True, tag=True):
    """Heartbeat, about once a second. `step` counts forwards since the start, so that a stuck step shows."""

    step: int
    running: int


Command = Hello | Submit | Cancel | Refresh | Shutdown
Event = Ready | Started | Progress | Preview | Finished | Failed | Alive
JobEvent = Started | Progress | Preview | Finished | Failed

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def frame(message: Command | Event) -> bytes:
    """Encode `message` with its length in front. Raises WireError when it is too large to send."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise WireError(f"a {type(message).__name__} of {len(body):,} bytes does not fit a frame")
    return HEADER.pack(len(body)) + body


def length_of(header: bytes) -> int:
    """Body length that a frame's four header bytes announce. Raises WireError when it is over the limit."""
    (length,) = HEADER.unpack(header)
    if length > MAX_FRAME:
        raise WireError(f"a frame of {length:,} bytes is over the limit")
    return length


def decode_command(body: bytes) -> Command:
    """Body of a frame to a command. Raises WireError."""
    try:
        return _commands.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"not a command: {error}") from error


def decode_event(body: bytes) -> Event:
    """Body of a frame to an event. Raises WireError."""
    try:
        return _events.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"not an event: {error}") from error
