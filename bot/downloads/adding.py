"""Adding a model: named, fetched, looked into, and put where it belongs, under a name of its own.

Owns the order, and that a file comes into a models folder whole, checked, and never in the place of another. What it is, the
engine's tools tell by its content. Refuses to know whether a shell or Discord asked.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bot.downloads.fetching import PAUSES, Fetched, Heard, Wanted, fetch
from bot.downloads.hub import look_up
from bot.downloads.links import HubName, local_name, read_source
from bot.downloads.partial import FOLDER, sweep
from bot.downloads.reach import PUBLIC, Reach
from bot.errors import RequestRefused
from bot.requests.naming import unknown
from bot.settings import Settings
from inference.api.tools import Identified, Identify
from inference.client.tool import ToolFailed, run_tool

SHELVES: Final = {
    "checkpoint": "checkpoints",
    "lora": "loras",
    "vae": "vaes",
    "embedding": "embeddings",
    "upscaler": "upscalers",
    "controlnet": "controls",
    "hypernetwork": "hypernetworks",
    "annotator": "annotators",
    "face": "faces",
}
"""Kinds as people name them, and the shelves that they belong to."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MARK: Final = ".easel-unfinished-"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be added: a link or a name on the hub, and what the person knows of it. `insist` takes pickles too."""

    source: str
    kind: str = ""
    sha256: str = ""
    name: str = ""
    insist: bool = False


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's side: the models folder, the most bytes, what may be reached, and where the hub is (None: as ever)."""

    models: Path
    limit: int
    reach: Reach = PUBLIC
    hub: str | None = None
    pauses: Sequence[float] = PAUSES


def ways_of(settings: Settings) -> Ways:
    """How this operator adds models."""
    return Ways(models=settings.model_folders[0], limit=int(settings.downloads.max_gib * 2**30))


class Added(msgspec.Struct, frozen=True):
    """A model that is there now. `renamed`: another file had its name."""

    path: Path
    label: str
    shelf: str
    sha256: str
    bytes: int
    renamed: bool = False


async def add_model(wish: Wish, ways: Ways, *, heard: Heard) -> Added:
    """Do it. Raises RequestRefused; then nothing is left but a part that another try goes on with, where it says so."""
    check_kind(wish.kind)
    digest = wish.sha256.strip().lower().removeprefix("sha256:")
    if digest and _DIGEST.fullmatch(digest) is None:
        raise RequestRefused("A sha256 has 64 digits from 0 to f; leave it out if there is none.")
    folder = ways.models / FOLDER
    await asyncio.to_thread(sweep, folder)
    wanted = await _wanted(wish, ways, digest)
    fetched = await fetch(wanted, folder, heard=heard, reach=ways.reach, pauses=ways.pauses)
    return await _place(fetched.partial.path, fetched, wish, ways)


async def add_bytes(data: bytes, wish: Wish, ways: Ways) -> Added:
    """The same for a file that is there already; `source` is its name. Raises RequestRefused."""
    check_kind(wish.kind)
    name = local_name(wish.name, wish.source, insist=wish.insist)
    digest = hashlib.sha256(data).hexdigest()
    folder = ways.models / FOLDER
    path = folder / f"{digest[:24]}-{os.getpid()}.upload"
    try:
        await asyncio.to_thread(_write, path, data)
        return await _place(path, Named(name, digest, len(data)), wish, ways)
    except OSError as error:
        raise RequestRefused(
            f"The file could not be written: {error.strerror or error}. Nothing of it was kept."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


class Named(msgspec.Struct, frozen=True):
    """A file's name, digest and size."""

    name: str
    sha256: str
    bytes: int


def check_kind(kind: str) -> None:
    """Raise Unknown unless `kind` is one, or empty."""
    if kind and kind not in SHELVES:
        raise unknown("kind", kind, SHELVES)


async def _wanted(wish: Wish, ways: Ways, digest: str) -> Wanted:
    def name(told: str) -> str:
        return local_name(wish.name, told, insist=wish.insist)

    source = read_source(wish.source)
    if not isinstance(source, HubName):
        ways.reach.check(source)
        return Wanted(url=source, limit=ways.limit, name=name, sha256=digest)
    file = await look_up(source, insist=wish.insist, endpoint=ways.hub)
    called = name(file.name)
    if digest and file.sha256 and digest != file.sha256:
        raise RequestRefused(f"Hugging Face has that file with the sha256 {file.sha256}, not the one that you gave.")
    return Wanted(
        url=file.url,
        limit=ways.limit,
        name=lambda _: called,
        size=file.size,
        sha256=digest or file.sha256,
        token=file.token,
    )


async def _place(arrived: Path, file: Fetched | Named, wish: Wish, ways: Ways) -> Added:
    """Look into what arrived, and give it its place. Raises RequestRefused; nothing is left of it then."""
    own, kept = arrived.with_suffix(".checked"), False
    path = own / file.name
    try:
        await asyncio.to_thread(_rename, arrived, path)
        try:
            what = await run_tool(Identify(path=str(path), shelf=SHELVES.get(wish.kind, "")), Identified)
        except ToolFailed as error:
            raise RequestRefused(f"{error} Nothing was kept.") from error
        except asyncio.CancelledError:
            kept = isinstance(file, Fetched)
            if kept:
                path.replace(arrived)
            raise
        target = await asyncio.to_thread(_moved, path, ways.models / what.folder)
    except OSError as error:
        raise RequestRefused(
            f"The file could not be put into the models folder: {error.strerror or error}. Nothing of it was kept."
        ) from error
    finally:
        shutil.rmtree(own, ignore_errors=True)
        if isinstance(file, Fetched) and not kept:
            file.partial.remove()
    return Added(target, what.label, what.shelf, file.sha256, file.bytes, renamed=target.name != file.name)


def _moved(path: Path, folder: Path) -> Path:
    """Give `path` a place in `folder`, beside what has its name already. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, ending = path.name[: -len(path.suffix)], path.suffix
    for number in range(1, 100):
        target = folder / (path.name if number == 1 else f"{stem} ({number}){ending}")
        try:
            _link(path, target)
        except FileExistsError:
            continue
        return target
    raise FileExistsError(errno.EEXIST, "there are a hundred files of that name")


def _link(path: Path, target: Path) -> None:
    """Let `path` be at `target` too, in one step and never in the place of another file. Raises OSError, FileExistsError."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one without links
        if target.exists():
            raise FileExistsError(errno.EEXIST, "is there already") from None
        between = target.with_name(f"{_MARK}{os.getpid()}-{target.name}")
        try:
            shutil.copyfile(path, between)
            between.rename(target)
        finally:
            between.unlink(missing_ok=True)


def _rename(path: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    path.replace(target)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
