"""Names that pictures can be found by: the model, LoRAs and styles that they were painted with.

Owns the rows of `labels`. Refuses to know what the names mean to a painter.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from inference.api.enlarging import UpscaleRequest
from inference.api.request import GenerationRequest, Request
from storage.gallery_tables import labels
from storage.gallery_values import LabelKind
from storage.rows import Row
from storage.words import loras_in

_names = msgspec.json.Decoder(tuple[str, ...])


def key_of(name: str) -> str:
    """A name as it is compared: in any case, white space made single."""
    return " ".join(name.split()).casefold()


async def add_labels(connection: AsyncConnection, job: Row, pictures: Sequence[tuple[int, Request, str]]) -> None:
    """Label the new `pictures` (id, request, model) of `job`, a row of `jobs`.

    Where nothing was said of styles, what came of a picture has that picture's; an enlargement has all of its names.
    """
    styles = _names.decode(job["styles"])
    rows = [
        row
        for image, request, model in pictures
        for row in label_rows(job["person"], image, named(request, model=model, styles=styles))
    ]
    if rows:
        await connection.execute(insert(labels).prefix_with("OR IGNORE"), rows)
    if job["parent"] is None:
        return
    for image, request, _ in pictures:
        whole = isinstance(request, UpscaleRequest)
        if whole or not styles:
            await _inherit(connection, job, image, kinds=("model", "lora", "style") if whole else ("style",))


def named(request: Request, *, model: str, styles: Iterable[str] = ()) -> tuple[tuple[LabelKind, str], ...]:
    """All that a picture is labelled with. An enlargement's model is that of the picture it came from."""
    own: tuple[str, ...] = (model,) if isinstance(request, GenerationRequest) else ()
    kinds: tuple[tuple[LabelKind, Iterable[str]], ...] = (
        ("model", own),
        ("lora", loras_in(request)),
        ("style", styles),
    )
    return tuple((kind, name) for kind, names in kinds for name in names if name.strip())


def label_rows(person: int, image: int, names: Iterable[tuple[LabelKind, str]]) -> list[dict[str, Any]]:
    """Rows of `labels`, each key once."""
    found = {(kind, key_of(name)): name for kind, name in names}
    return [
        {"person": person, "kind": kind, "key": key, "image": image, "name": name}
        for (kind, key), name in found.items()
    ]


async def _inherit(connection: AsyncConnection, job: Row, image: int, *, kinds: Sequence[LabelKind]) -> None:
    earlier = select(
        literal(job["person"]).label("person"),
        labels.c.kind,
        labels.c.key,
        literal(image).label("image"),
        labels.c.name,
    ).where((labels.c.image == job["parent"]) & labels.c.kind.in_(kinds))
    columns = ["person", "kind", "key", "image", "name"]
    await connection.execute(insert(labels).prefix_with("OR IGNORE").from_select(columns, earlier))
