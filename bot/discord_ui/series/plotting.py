"""From what somebody typed to a plot, a prompt matrix or the prompts of a file, ready to be offered.

Owns the meeting of drafts, memory and shelf for many pictures at once. What axes, matrices and lines mean is
`bot.requests.plots`'.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import discord
import msgspec

from bot.discord_ui.asking import Wish
from bot.discord_ui.desk import Desk
from bot.discord_ui.series.limits import check_cells
from bot.discord_ui.series.offering import Offered, Part
from bot.discord_ui.uploads import Upload, fetch_picture
from bot.discord_ui.wishes import known_with, names_of, words_chosen
from bot.errors import EaselError, LimitReached, RequestRefused, Unknown
from bot.requests.drafts import ImagineDraft
from bot.requests.mending import BEST
from bot.requests.plots import lines, matrix
from bot.requests.plots.changes import Here
from bot.requests.plots.layout import Layout, plain_layout
from bot.requests.plots.planning import Plan, count, plan, read_axes
from bot.requests.resolve import resolve
from inference.api.errors import RequestInvalid
from inference.api.request import MAX_COUNT, SEED_LIMIT, GenerationRequest, Hires, Seeds

T = TypeVar("T")
Typed = Sequence[tuple[str | None, str | None]]
"""Label and values of X, Y and Z."""
MAX_FILE: Final = 256 * 1024
"""Bytes of a file of prompts."""
_NOT_TEXT: Final = "That file is not a text in UTF-8; save the prompts as a plain text file, one a line."


class Asker(msgspec.Struct, frozen=True):
    """Who asks, and where."""

    person: int
    guild: int | None


class PlotDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A plot as it was typed. `hires` is how many times larger the second pass is, None for none."""

    draft: ImagineDraft
    typed: Typed
    vary: tuple[bool, bool, bool] = (False, False, False)
    keep_random: bool = False
    legend: bool = True
    hires: float | None = None


class MatrixDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt matrix as it was typed; of the negative prompt where `negative`."""

    draft: ImagineDraft
    negative: bool = False
    delimiter: matrix.Delimiter = "comma"
    at_start: bool = False
    different_seeds: bool = False
    legend: bool = True


class FileDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts from a file, and what holds for each line that does not say otherwise."""

    draft: ImagineDraft
    position: lines.Position = "start"
    advance: bool = False


async def plot(desk: Desk, asker: Asker, wanted: PlotDraft, *, start: discord.Attachment | None = None) -> Offered:
    """The plot that `wanted` means, over the picture `start` where there is one. Raises RequestRefused, LimitReached."""
    axes = read_axes(wanted.typed, img=start is not None, random_seed=desk.seed, keep_random=wanted.keep_random)
    check_cells(count(axes), limits=desk.settings.limits)
    upload = None if start is None else await fetch_picture(start, desk.settings.limits)
    draft = msgspec.structs.replace(wanted.draft, count=1)
    if upload is not None:
        draft = msgspec.structs.replace(draft, init_image=upload.sha, init_size=upload.size)

    def make(known: dict[str, Any]) -> Plan:
        base = _enlarged(resolve(draft, **known), wanted.hires)

        def restyled(styles: str) -> GenerationRequest:
            listed = ", ".join(part for part in (draft.style, styles) if part and part.strip())
            seeded = msgspec.structs.replace(draft, style=listed or None, seed=str(base.seeds.seed))
            return _enlarged(resolve(seeded, **known), wanted.hires)

        here = Here(
            inventory=known["inventory"], limits=known["limits"], restyled=restyled, random_seed=known["random_seed"]
        )
        return plan(base, axes, here, vary=wanted.vary, legend=wanted.legend)

    planned = await _made(desk, asker, make)
    return await _offered(
        desk,
        "plot",
        draft.prompt,
        [(cell.label, cell.request, None) for cell in planned.cells],
        layout=planned.layout,
        upload=upload,
    )


async def prompt_matrix(desk: Desk, asker: Asker, wanted: MatrixDraft) -> Offered:
    """The prompt matrix that `wanted` means. Raises RequestRefused, LimitReached."""
    draft = msgspec.structs.replace(wanted.draft, count=1)
    text = (draft.negative or "") if wanted.negative else draft.prompt
    if "|" not in text:
        field = "negative prompt" if wanted.negative else "prompt"
        raise RequestRefused(f"A prompt matrix needs a {field} in parts: a cat|red hat|blue scarf.")
    made = matrix.expand(text, delimiter=wanted.delimiter, at_start=wanted.at_start)
    check_cells(len(made.prompts), limits=desk.settings.limits)

    def make(known: dict[str, Any]) -> list[GenerationRequest]:
        field = "negative" if wanted.negative else "prompt"
        requests: list[GenerationRequest] = []
        seed = draft.seed
        for index, words in enumerate(made.prompts):
            changed: dict[str, Any] = {field: words, "seed": seed}
            request = resolve(msgspec.structs.replace(draft, **changed), **known)
            seed = str(requests[0].seeds.seed if requests else request.seeds.seed)
            requests.append(_later(request, index if wanted.different_seeds else 0))
        return requests

    requests = await _made(desk, asker, make)
    cells = [(matrix.label_of(made, index), request, None) for index, request in enumerate(requests)]
    return await _offered(desk, "matrix", text, cells, layout=matrix.layout_of(made, legend=wanted.legend))


async def prompts_from(desk: Desk, asker: Asker, wanted: FileDraft, *, file: discord.Attachment) -> Offered:
    """A picture for each line of `file`. Raises RequestRefused, LimitReached; a line that cannot be is named."""
    text = await _text_of(file)
    draft = msgspec.structs.replace(wanted.draft, count=1)

    def make(known: dict[str, Any]) -> list[tuple[str, GenerationRequest, str | None]]:
        first = resolve(msgspec.structs.replace(draft, prompt=draft.prompt or "x"), **known).seeds.seed
        read = lines.read_lines(
            text,
            prompt=draft.prompt,
            negative=draft.negative or "",
            seed=first,
            pictures=1,
            advance=wanted.advance,
            position=wanted.position,
        )
        check_cells(len(read), limits=desk.settings.limits)
        return [
            (f"{number}. {line.prompt}", _line_request(line, draft, known, number=number), line.prompt)
            for number, line in enumerate(read, 1)
        ]

    cells = await _made(desk, asker, make)
    if not cells:
        raise RequestRefused("That file is empty; write one prompt a line.")
    layout = msgspec.structs.replace(plain_layout(len(cells)), facts={"Script": "Prompts from file or textbox"})
    return await _offered(desk, "lines", draft.prompt or file.filename, cells, layout=layout)


async def _offered(
    desk: Desk,
    kind: str,
    title: str,
    cells: Sequence[tuple[str, GenerationRequest, str | None]],
    *,
    layout: Layout,
    upload: Upload | None = None,
) -> Offered:
    """`cells` are labels, requests and prompts as they are shown (None: the request's own)."""
    sources: Mapping[str, bytes] = {} if upload is None else {upload.sha: upload.data}
    parts: list[Part] = []
    for label, request, shown in cells:
        chosen = await words_chosen(desk, request)
        words = chosen.prompt.positive if shown is None else shown
        parts.append(Part(label, Wish(request=chosen, kind=kind, prompt=words, sources=sources)))
    return Offered(kind=kind, title=title, parts=tuple(parts), layout=layout)


async def _made(desk: Desk, asker: Asker, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` makes of all that is known, in a thread: a thousand cells take a while. A new file is looked for once."""
    names = await names_of(desk, asker.person, asker.guild)
    try:
        return await asyncio.to_thread(make, await known_with(desk, names))
    except Unknown:
        if not await desk.found_more():
            raise
        return await asyncio.to_thread(make, await known_with(desk, names))


def _enlarged(request: GenerationRequest, scale: float | None) -> GenerationRequest:
    if scale is None:
        return request
    try:
        return msgspec.structs.replace(request, hires=Hires(scale=scale))
    except RequestInvalid as error:
        raise RequestRefused(str(error)) from error


def _later(request: GenerationRequest, steps: int) -> GenerationRequest:
    seed = min(request.seeds.seed + steps, SEED_LIMIT - request.count)
    return msgspec.structs.replace(request, seeds=msgspec.structs.replace(request.seeds, seed=seed))


def _line_request(line: lines.Line, draft: ImagineDraft, known: dict[str, Any], *, number: int) -> GenerationRequest:
    """What `line` asks for. Raises RequestRefused and LimitReached that name the line."""
    try:
        return _with_seeds(line, resolve(_line_draft(line, draft), **known), known["random_seed"])
    except RequestInvalid as error:
        raise RequestRefused(f"Line {number}: {error}") from error
    except Unknown:
        raise
    except EaselError as error:
        kind = LimitReached if isinstance(error, LimitReached) else RequestRefused
        raise kind(f"Line {number}: {error.sentence}") from error


def _line_draft(line: lines.Line, draft: ImagineDraft) -> ImagineDraft:
    args = line.args
    if "sampler_name" in args and args["sampler_name"] is None:
        raise RequestRefused("There is no sampler of the name behind --sampler_name.")
    changed: dict[str, Any] = {"prompt": line.prompt, "negative": line.negative or draft.negative}
    changed["seed"] = str(line.seed)
    for name, field in (("steps", "steps"), ("cfg_scale", "cfg"), ("sampler_name", "sampler"), ("sd_model", "model")):
        if name in args:
            changed[field] = args[name]
    if "styles" in args:
        changed["style"] = args["styles"]
    if args.get("restore_faces"):
        changed["faces"] = BEST
    if "tiling" in args:
        changed["tiling"] = args["tiling"]
    if "width" in args or "height" in args:
        width, height = args.get("width", args.get("height")), args.get("height", args.get("width"))
        changed["size"] = (width, height)
    return msgspec.structs.replace(draft, **changed)


def _with_seeds(line: lines.Line, request: GenerationRequest, random_seed: Callable[[], int]) -> GenerationRequest:
    args = line.args
    pictures = int(args.get("batch_size", 1)) * int(args.get("n_iter", 1))
    if not 1 <= pictures <= MAX_COUNT:
        raise RequestRefused(f"A line may ask for 1 to {MAX_COUNT} pictures, not {pictures:,}.")
    seeds: Seeds = request.seeds
    if {"subseed", "subseed_strength"} & set(args):
        subseed = int(args.get("subseed", -1))
        seeds = msgspec.structs.replace(
            seeds,
            variation_seed=random_seed() if subseed == -1 else subseed,
            variation_strength=float(args.get("subseed_strength", 0.0)),
        )
    wide, high = int(args.get("seed_resize_from_w", 0)), int(args.get("seed_resize_from_h", 0))
    if wide > 0 and high > 0:
        seeds = msgspec.structs.replace(seeds, resize_from=(wide, high))
    seeds = msgspec.structs.replace(seeds, seed=min(seeds.seed, SEED_LIMIT - pictures))
    return msgspec.structs.replace(request, seeds=seeds, count=pictures)


async def _text_of(file: discord.Attachment) -> str:
    """What `file` says. Raises RequestRefused: nothing is fetched that is announced as too large."""
    if file.size > MAX_FILE:
        raise RequestRefused(
            f"That file has {file.size / 1024:,.0f} KiB; a file of prompts may have {MAX_FILE // 1024} KiB."
        )
    try:
        data = await file.read()
    except discord.HTTPException as error:
        raise RequestRefused("That file could not be fetched from Discord; send it again.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestRefused(_NOT_TEXT) from error
