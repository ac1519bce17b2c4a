"""Palettes: what somebody has chosen in the pickers of models and LoRAs, and the pictures that show what a file does.

Owns the rows of `palettes` and `samples`. A row holds one `Palette` as JSON, so a new field needs a default and no migration.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.rows import to_json
from storage.tables import images, jobs, palettes, samples
from storage.values import JobState


class Pick(msgspec.Struct, frozen=True, omit_defaults=True):
    """A LoRA that was taken, by name, and its weight; None for the one it asks for itself."""

    name: str
    weight: float | None = None


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody looks for in a picker: `words`, and a `family` (empty: what fits; all; or sd1, sd2, sdxl)."""

    words: str = ""
    family: str = ""


class Palette(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`model` (with its `hash`) is who paints where nothing else is said; empty: the server's own choice.

    `fits` is the checkpoint for which LoRAs are being looked at, empty for `model`. `picks` are the LoRAs that were taken.
    """

    model: str = ""
    hash: str = ""
    fits: str = ""
    picks: tuple[Pick, ...] = ()
    loras: Look = Look()
    models: Look = Look()


class Sample(msgspec.Struct, frozen=True):
    """What is there to show of a file: the state of the job that paints it, and the picture's id (0: none, or not yet)."""

    state: JobState
    image: int = 0


Change = Callable[[Palette], Palette]
_palettes: Final = msgspec.json.Decoder(Palette)


class Palettes:
    """The tables of choices in pickers."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, person: int) -> Palette:
        """What this person chose; an empty palette where they never did."""
        async with self._connections.read() as connection:
            return await _read(connection, person)

    async def change(self, person: int, change: Change) -> Palette:
        """Change it in one act, and return what holds now. Raises what `change` raises, and then nothing is changed."""

        async def act(connection: AsyncConnection) -> Palette:
            after = change(await _read(connection, person))
            values = {"chosen": to_json(after)}
            row = insert(palettes).values({"person": person, **values})
            await connection.execute(row.on_conflict_do_update(index_elements=["person"], set_=values))
            return after

        return await self._connections.write(act)

    async def samples(self, models: Sequence[str]) -> Mapping[str, Sample]:
        """What there is to show of these files, by their key (sha256)."""
        query = (
            select(samples.c.model, jobs.c.state, images.c.id)
            .join(jobs, jobs.c.id == samples.c.job)
            .outerjoin(images, (images.c.job == jobs.c.id) & (images.c.index == 0))
            .where(samples.c.model.in_(models))
        )
        async with self._connections.read() as connection:
            rows = (await connection.execute(query)).all()
        return {model: Sample(JobState(state), image or 0) for model, state, image in rows}

    async def set_sample(self, model: str, job: int) -> None:
        """From now on `job` shows what this file does."""

        async def act(connection: AsyncConnection) -> None:
            row = insert(samples).values(model=model, job=job)
            await connection.execute(row.on_conflict_do_update(index_elements=["model"], set_={"job": job}))

        await self._connections.write(act)


async def _read(connection: AsyncConnection, person: int) -> Palette:
    query = select(palettes.c.chosen).where(palettes.c.person == person)
    found = (await connection.execute(query)).scalar_one_or_none()
    return Palette() if found is None else _palettes.decode(found)
