"""`python run.py imagine`: one picture from the shell, painted by the same engine, with the same text inside the file.

Owns how wishes, a pasted text and the settings meet, and the progress on the terminal. What a text means is
`inference.api.infotext`'s to know.
"""

import asyncio
import re
import secrets
import sys
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import msgspec
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bot.commands.models import worker
from bot.errors import EaselError, RequestRefused, SetupError
from bot.requests.safety import check_request
from bot.settings import Settings
from inference.api.backend import Backend, BackendUnavailable
from inference.api.catalog import SAMPLERS
from inference.api.errors import RequestInvalid
from inference.api.infotext import NoInfotext, exif_with, infotext_in, is_picture, read_infotext, resolve
from inference.api.infotext.names import AUTOMATIC, canonical, split_names
from inference.api.lookup import find_checkpoint
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, attachments_of
from inference.api.result import ImageResult, Inventory, ModelFile
from inference.api.sampling import SEED_LIMIT, Guidance, Sampling, Seeds
from inference.api.wire import Failed, Finished, JobEvent
from inference.api.wire import Progress as Steps
from storage.errors import Missing
from storage.pictures import PictureStore

MAX_INPUT = 256 * 1024 * 1024
"""Bytes of a picture or text that are read."""
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY = 95
_SIZE = re.compile(r"\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was said on the command line; None and empty mean nothing was. `infotext` is the text to paint, if one was given."""

    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    steps: int | None = None
    size: str | None = None
    cfg: float | None = None
    sampler: str | None = None
    model: str | None = None
    infotext: str | None = None


def read_text(source: str) -> str:
    """The parameter text in the file `source`, a picture or a text; `-` is standard input. Raises RequestRefused."""
    try:
        if source == "-":
            data = sys.stdin.buffer.read(MAX_INPUT)
        else:
            with Path(source).open("rb") as file:
                data = file.read(MAX_INPUT)
    except OSError as error:
        raise RequestRefused(f"{source} cannot be read: {error.strerror or error}.") from error
    if is_picture(data):
        try:
            return infotext_in(data)
        except NoInfotext as error:
            raise RequestRefused(f"{source}: {error}") from error
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RequestRefused(f"{source} is neither a text nor a PNG, JPEG or WebP picture.")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return data.decode(encoding, "replace").replace("\r\n", "\n")


def plan(wish: Wish, settings: Settings, inventory: Inventory) -> tuple[GenerationRequest, tuple[str, ...]]:
    """The request that `wish` means, and sentences for what it cannot have. Raises RequestRefused, SetupError."""
    if not wish.prompt and wish.infotext is None:
        raise RequestRefused('Say what to paint: python run.py imagine "a red apple", or --infotext FILE.')
    model = _model(wish.model or settings.generation.model, settings, inventory)
    try:
        base = _base(settings, model)
        if wish.infotext is None:
            request, notes = _with_wishes(base, wish, model), ()
        else:
            resolved = resolve(read_infotext(wish.infotext), inventory, base=base)
            request, notes = _with_wishes(resolved.request, wish, model), resolved.notes
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error
    check_request(request)
    return request, notes


def _model(name: str, settings: Settings, inventory: Inventory) -> ModelFile:
    if not inventory.checkpoints:
        raise SetupError(
            f"No checkpoint found. Put a .safetensors file into {settings.paths.models / 'Stable-diffusion'}."
        )
    if not name:
        return inventory.checkpoints[0]
    found = find_checkpoint(inventory, name)
    if found is None:
        names = ", ".join(info.name for info in inventory.checkpoints[:8])
        raise RequestRefused(f"There is no model called “{name}” here. There is: {names}.")
    return found


def _base(settings: Settings, model: ModelFile) -> GenerationRequest:
    """What a bare wish means."""
    usual = settings.generation
    return GenerationRequest(
        prompt=Prompt("", usual.negative),
        canvas=Canvas(model.native, model.native),
        seeds=Seeds(secrets.randbelow(SEED_LIMIT)),
        model=ModelRef(model.name, model.hash),
        sampling=Sampling(sampler=usual.sampler, steps=usual.steps),
        guidance=Guidance(cfg_scale=model.cfg_scale or usual.cfg_scale),
    )


def _with_wishes(request: GenerationRequest, wish: Wish, model: ModelFile) -> GenerationRequest:
    """`request` with what the command line says itself, which counts more. Raises RequestInvalid."""
    replace = msgspec.structs.replace
    prompt, sampling = request.prompt, request.sampling
    if wish.prompt:
        prompt = replace(prompt, positive=wish.prompt)
    if wish.negative:
        prompt = replace(prompt, negative=wish.negative)
    if wish.sampler is not None:
        sampling = _sampler(sampling, wish.sampler)
    if wish.steps is not None:
        sampling = replace(sampling, steps=wish.steps)
    changes: dict[str, object] = {"prompt": prompt, "sampling": sampling}
    if wish.seed is not None:
        changes["seeds"] = replace(request.seeds, seed=wish.seed)
    if wish.cfg is not None:
        changes["guidance"] = replace(request.guidance, cfg_scale=wish.cfg)
    if wish.size is not None:
        changes["canvas"] = _canvas(wish.size)
    if wish.model is not None:
        changes["model"] = ModelRef(model.name, model.hash)
    return replace(request, **changes)


def _sampler(sampling: Sampling, name: str) -> Sampling:
    row, schedule = split_names(name, None)
    if row is None:
        labels = ", ".join(row.label for row in SAMPLERS)
        raise RequestInvalid(f"There is no sampler “{name}”. There is: {labels}.")
    return msgspec.structs.replace(sampling, sampler=row.id, schedule=canonical(row, schedule or AUTOMATIC))


def _canvas(size: str) -> Canvas:
    found = _SIZE.fullmatch(size)
    if found is None:
        raise RequestInvalid(f"“{size}” is not a size; write it as in 512x768.")
    return Canvas(int(found[1]), int(found[2]))


async def paint_to_file(settings: Settings, wish: Wish, *, out: Path) -> int:
    """Paint what `wish` says into `out` (.png, .jpg or .webp, each with the parameters inside). Returns the exit status.

    Raises EaselError with a sentence for whoever typed it.
    """
    _check(out)
    console = Console(stderr=True)
    try:
        async with worker(settings) as backend:
            assert backend.ready is not None  # noqa: S101 - start() has returned
            request, notes = plan(wish, settings, backend.ready.inventory)
            request, attachments, more = await _attached(request, PictureStore(settings.data / "pictures"))
            _say(console, (*notes, *more))
            finished = await _paint(backend, request, attachments, console)
    except BackendUnavailable as error:
        raise SetupError(str(error)) from error
    _say(console, finished.notes)
    image = finished.images[0]
    try:
        await asyncio.to_thread(out.write_bytes, in_format(image, out.suffix.lower()))
    except OSError as error:
        raise RequestRefused(f"{out} cannot be written: {error.strerror or error}.") from error
    seconds = finished.timings.seconds
    print(f"{out}: {image.width} × {image.height}, seed {image.seed}, {request.model.name}, {seconds:.1f} s")
    return 0


def _check(out: Path) -> None:
    """Raise RequestRefused unless a picture can be written to `out`: better before painting than after."""
    if out.suffix.lower() not in FORMATS:
        raise RequestRefused(f"{out} should end in .png, .jpg or .webp.")
    if not out.absolute().parent.is_dir():
        raise RequestRefused(f"There is no folder {out.absolute().parent}; make it first.")


async def _attached(
    request: GenerationRequest, store: PictureStore
) -> tuple[GenerationRequest, Mapping[str, bytes], tuple[str, ...]]:
    """The pictures that `request` begins from; without them it is painted from its words, and a sentence says so."""
    try:
        return request, {sha256: await store.get(sha256) for sha256 in attachments_of(request)}, ()
    except Missing:
        bare = msgspec.structs.replace(request, source=None)
        return bare, {}, ("The picture it began from is not among those kept here; only its words are painted.",)


async def _paint(
    backend: Backend, request: GenerationRequest, attachments: Mapping[str, bytes], console: Console
) -> Finished:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("waiting", total=None)
        async with aclosing(backend.generate(1, request, attachments=attachments)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event
                _show(progress, task, event)
    raise EaselError("The painter ended without a picture; try again.")


def _show(progress: Progress, task: TaskID, event: JobEvent) -> None:
    match event:
        case Steps(done=done, total=total, stage=stage):
            progress.update(task, description=stage, completed=done, total=total)
        case Failed(message=message):
            raise RequestRefused(message)
        case _:
            pass


def _say(console: Console, notes: tuple[str, ...]) -> None:
    for note in notes:
        console.print(f"• {note}", markup=False, highlight=False)


def in_format(image: ImageResult, suffix: str) -> bytes:
    """`image` in the format of `suffix` (a key of FORMATS), its parameters inside; a PNG is handed on as it was painted.

    Raises RequestRefused where the parameters do not fit (a JPEG has room for about 32,000 characters).
    """
    if FORMATS[suffix] == "PNG":
        return image.data
    buffer = BytesIO()
    try:
        with Image.open(BytesIO(image.data), formats=("PNG",)) as picture:
            picture.convert("RGB").save(buffer, FORMATS[suffix], quality=QUALITY, exif=exif_with(image.infotext))
    except ValueError as error:
        raise RequestRefused(f"The parameters are too long for a {suffix} file; write a .png instead.") from error
    return buffer.getvalue()
