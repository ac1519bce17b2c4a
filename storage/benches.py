"""What somebody is in the middle of: a form that was refused, a picture that was brought along and waits for words.

Owns the rows of `benches` and how long they are kept. Refuses to know what the words on them mean. A button that carries a
bench's id works after a restart, and after the message from which its picture came has gone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.discards import Discards, note, note_unused
from storage.errors import Missing
from storage.pictures import PictureStore
from storage.rows import Row, to_json
from storage.tables import benches
from storage.values import Bench

KEPT: Final = 7 * 86_400.0
"""Seconds for which a bench is kept."""
EACH: Final = 60
"""Benches of one person; the oldest go first."""
_said: Final = msgspec.json.Decoder(dict[str, str])


class Benches:
    """The table of benches."""

    def __init__(self, connections: Connections, pictures: PictureStore, discards: Discards) -> None:
        self._connections = connections
        self._pictures = pictures
        self._discards = discards

    async def add(
        self, *, person: int, kind: str, said: Mapping[str, str], now: float, picture: bytes | None = None
    ) -> Bench:
        """Keep what somebody said, and the `picture` (a PNG) that it is about, for `KEPT` seconds. Old ones go."""
        sha256 = None if picture is None else await self._pictures.put(picture)
        values = {"person": person, "kind": kind, "said": to_json(said), "created": now, "picture": sha256}

        async def act(connection: AsyncConnection) -> Bench:
            if picture is not None:
                await self._pictures.put(
                    picture
                )  # again, since a deletion may have come in between; mostly this only looks
            row = (await connection.execute(insert(benches).returning(*benches.c), values)).mappings().one()
            await _tidy(connection, person=person, now=now)
            return _bench_of(row)

        try:
            return await self._connections.write(act, then=self._discards.clear)
        except BaseException:
            if sha256 is not None:
                await self._connections.write(lambda c: note_unused(c, [sha256]), then=self._discards.clear)
            raise

    async def get(self, bench: int) -> Bench | None:
        """The bench with this id, None when there is none (any more)."""
        async with self._connections.read() as connection:
            row = (await connection.execute(select(benches).where(benches.c.id == bench))).mappings().first()
        return None if row is None else _bench_of(row)

    async def data(self, bench: int) -> bytes:
        """The picture on a bench. Raises Missing when there is none."""
        found = await self.get(bench)
        if found is None or found.picture is None:
            raise Missing("picture", bench)
        return await self._pictures.get(found.picture)

    async def toggle(self, bench: int, key: str, mark: str) -> Bench:
        """Put `mark` into the list of marks (joined by commas) under `key`, or take it out. Raises Missing.

        Two who press at the same moment both count: it is read and written in one act.
        """

        async def act(connection: AsyncConnection) -> Bench:
            row = (await connection.execute(select(benches).where(benches.c.id == bench))).mappings().first()
            if row is None:
                raise Missing("picture", bench)
            said = _said.decode(row["said"])
            marks = [each for each in said.get(key, "").split(",") if each]
            marks = [each for each in marks if each != mark] if mark in marks else sorted([*marks, mark])
            changed = update(benches).where(benches.c.id == bench).values(said=to_json(said | {key: ",".join(marks)}))
            return _bench_of((await connection.execute(changed.returning(*benches.c))).mappings().one())

        return await self._connections.write(act)

    async def say(self, bench: int, said: Mapping[str, str]) -> Bench:
        """Change some of the words on a bench, and keep the others; an empty word is taken away. Raises Missing."""

        async def act(connection: AsyncConnection) -> Bench:
            row = (await connection.execute(select(benches).where(benches.c.id == bench))).mappings().first()
            if row is None:
                raise Missing("picture", bench)
            words = {name: word for name, word in (_said.decode(row["said"]) | dict(said)).items() if word}
            changed = update(benches).where(benches.c.id == bench).values(said=to_json(words))
            return _bench_of((await connection.execute(changed.returning(*benches.c))).mappings().one())

        return await self._connections.write(act)

    async def remove(self, numbers: Iterable[int], *, person: int) -> None:
        """Put away those of these benches that are `person`'s, with their pictures."""
        which = benches.c.id.in_(tuple(numbers)) & (benches.c.person == person)
        await self._connections.write(lambda connection: remove_benches(connection, which), then=self._discards.clear)


async def remove_benches(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    """Delete the benches that `which` chooses, and note their files."""
    await note(connection, select(benches.c.picture).where(which & benches.c.picture.is_not(None)))
    await connection.execute(delete(benches).where(which))


async def _tidy(connection: AsyncConnection, *, person: int, now: float) -> None:
    await remove_benches(connection, benches.c.created < now - KEPT)
    newest = select(benches.c.id).where(benches.c.person == person).order_by(benches.c.id.desc()).limit(EACH)
    await remove_benches(connection, (benches.c.person == person) & benches.c.id.not_in(newest))


def _bench_of(row: Row) -> Bench:
    columns: dict[str, Any] = {name: row[name] for name in Bench.__struct_fields__ if name != "said"}
    return Bench(**columns, said=_said.decode(row["said"]))
