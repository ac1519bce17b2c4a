"""What a button is about when it is about a picture: one of ours by its row, or one that somebody brought along on a bench.

Owns the way from a ticket to the pixels and to the request that paints in the picture's manner. A bench with a picture of
ours holds its id alone, so that a deleted picture is gone from every bench too.
"""

import asyncio
import struct
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bot.discord_ui.actions import ON_BENCH, Ticket
from bot.discord_ui.desk import Desk
from bot.discord_ui.shown import picture_of, png_of
from bot.discord_ui.uploads import Upload, upload_of
from bot.discord_ui.wishes import NO_NAMES, known_with, with_models
from bot.errors import NotFound
from bot.requests.foreign import bare_request, request_of_text, without
from bot.requests.naming import checkpoint_named
from inference.api.backend import BackendUnavailable
from inference.api.infotext import Resolved
from inference.api.lookup import find_checkpoint
from inference.api.request import GenerationRequest, attachments_of
from storage.errors import Missing
from storage.values import Bench, Image

IMAGE, INFOTEXT, NAME, REGIONS, SAID_PROMPT = "image", "infotext", "name", "regions", "prompt"
"""Words on a bench: the id of a picture of ours, a parameter text, the file's name, chosen regions, a prompt."""
TEXT_KEPT: Final = 100_000
"""Characters of a parameter text that are kept."""
_GONE: Final = "That was put away: what you bring along is kept for a week. Use Remix on the message again."
_PNG_SIZE: Final = struct.Struct(">II")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to paint from: its PNG, and the request (one picture, no tiles) in whose manner it is painted over.

    `parent` is its row where it is ours, `notes` what of its text could not be honoured, `prompt` as it was typed.
    """

    picture: Upload
    base: GenerationRequest
    prompt: str
    parent: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.size


def rest_of(ticket: Ticket) -> str:
    """The ticket's argument, whichever kind of picture it is about."""
    return ticket.argument.removeprefix(ON_BENCH)


async def bench_of(desk: Desk, number: int) -> Bench:
    """The bench with this id. Raises NotFound with a sentence when it was put away."""
    bench = await desk.db.benches.get(number)
    if bench is None:
        raise NotFound(_GONE)
    return bench


async def subject_of(desk: Desk, ticket: Ticket) -> Subject:
    """What `ticket` is about. Raises NotFound when it is gone, Unknown where there is no model to paint with."""
    if not ticket.argument.startswith(ON_BENCH):
        return await _own(desk, await picture_of(desk.db, ticket.id))
    return await subject_on(desk, await bench_of(desk, ticket.id))


async def subject_on(desk: Desk, bench: Bench) -> Subject:
    """The picture on `bench`. Raises as `subject_of`."""
    if own := bench.said.get(IMAGE):
        return await _own(desk, await picture_of(desk.db, int(own)))
    picture = await pixels_on(desk, bench)
    found = await read_text(desk, bench.said.get(INFOTEXT, ""))
    base = msgspec.structs.replace(found.request, redraw=None)
    return Subject(picture=picture, base=base, prompt=base.prompt.positive, notes=found.notes)


async def pixels_on(desk: Desk, bench: Bench) -> Upload:
    """The picture on `bench` alone. Raises NotFound when it is gone."""
    if own := bench.said.get(IMAGE):
        return upload_of(await png_of(desk.db, await picture_of(desk.db, int(own))))
    try:
        return upload_of(await desk.db.benches.data(bench.id))
    except Missing as error:
        raise NotFound(_GONE) from error


def check_up(desk: Desk) -> None:
    """For what opens a form, which cannot wait: raises BackendUnavailable before the painter is up for the first time."""
    if not desk.shelf().checkpoints and desk.backend.ready is None:
        raise BackendUnavailable("The painter is just starting.")


async def read_text(desk: Desk, text: str) -> Resolved:
    """The request that paints what a parameter text says; without one, what the server paints by default.

    A picture that the text names as its source must be kept here; else it is left out, with a note.
    """

    def make(known: Mapping[str, Any]) -> Resolved:
        return request_of_text(text, **known) if text.strip() else Resolved(bare_request(**known))

    found = await with_models(desk, NO_NAMES, make)
    needed = attachments_of(found.request)
    gone = frozenset([sha256 for sha256 in needed if not await desk.db.pictures.has(sha256)])
    return without(found, gone) if gone else found


async def _own(desk: Desk, image: Image) -> Subject:
    """A picture of ours; an enlargement is painted over in the manner that its text tells."""
    picture = await asyncio.to_thread(upload_of, await png_of(desk.db, image))
    if isinstance(image.request, GenerationRequest):
        base, notes = msgspec.structs.replace(image.request, count=1, redraw=None), ()
    else:
        found = await read_text(desk, image.infotext)
        base, notes = msgspec.structs.replace(found.request, redraw=None), found.notes
    return Subject(picture=picture, base=base, prompt=image.prompt, parent=image.id, notes=notes)


async def native_of(desk: Desk, base: GenerationRequest) -> int:
    """The side in pixels that the request's model was trained for. Raises Unknown where it is not here any more."""
    known = await known_with(desk, NO_NAMES)
    inventory = known["inventory"]
    return (find_checkpoint(inventory, base.model.hash) or checkpoint_named(base.model.name, inventory)).native
