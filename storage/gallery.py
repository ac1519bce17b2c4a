"""Finding pictures: somebody's own, starred or collected ones, by words, names and dates, in an order; and a picture's kin.

Owns how a query is answered, and the rows of `searches`. Refuses to know what is shown of a picture.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, delete, exists, func, select, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.connections import Connections
from storage.gallery_tables import collected, collections, labels, search, searches
from storage.gallery_values import LABELS, LabelKind, Order, Packed, Query
from storage.labels import key_of
from storage.rows import Row, image_of, readable, to_json
from storage.tables import favourites, images
from storage.values import Page
from storage.words import beginnings, words_in

KEPT: Final = 50
"""Searches that are remembered of one person; the one that was used longest ago goes first."""
_queries: Final = msgspec.json.Decoder(Query)


class Gallery:
    """Questions about many pictures of one person."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def page(self, person: int, query: Query, *, offset: int = 0, limit: int = 9) -> Page:
        """Pictures `offset` to `offset + limit` of what `query` finds, and how many there are.

        One whose request does not decode is counted and left out.
        """
        return await self._page(_found(person, query), offset=offset, limit=limit)

    async def kin(self, image: int, *, offset: int = 0, limit: int = 9) -> Page:
        """The picture that this one came from, if it is there, then those that were made from it, newest first."""
        parent = select(images.c.parent).where(images.c.id == image).scalar_subquery()
        ids = select(images.c.id).where((images.c.parent == image) | (images.c.id == parent))
        chosen = ids.order_by((images.c.id == parent).desc(), images.c.id.desc())
        return await self._page(chosen, offset=offset, limit=limit)

    async def children(self, image: int) -> int:
        """How many pictures were made from this one."""
        query = select(func.count()).select_from(images).where(images.c.parent == image)
        async with self._connections.read() as connection:
            return (await connection.execute(query)).scalar_one()

    async def packed(self, person: int, query: Query, *, limit: int) -> tuple[Packed, ...]:
        """The first `limit` pictures that `query` finds, as an export needs them."""
        found = _found(person, query).limit(limit)
        columns = [images.c[name] for name in Packed.__struct_fields__]
        async with self._connections.read() as connection:
            order = {image: place for place, image in enumerate((await connection.execute(found)).scalars())}
            rows = (await connection.execute(select(*columns).where(images.c.id.in_(found)))).mappings().all()
        kept = (Packed(**{name: row[name] for name in Packed.__struct_fields__}) for row in rows)
        return tuple(sorted((each for each in kept if each.id in order), key=lambda each: order[each.id]))

    async def names(self, person: int, kind: LabelKind, query: Query) -> tuple[str, ...]:
        """Names of that kind among the pictures of `query`'s shelf (its words and the rest are not asked), by alphabet."""
        shelf = Query(starred=query.starred, collection=query.collection)
        own = not (query.starred or query.collection)
        here = labels.c.person == person if own else labels.c.image.in_(_found(person, shelf))
        chosen = select(labels.c.key, func.min(labels.c.name)).where(here & (labels.c.kind == kind))
        async with self._connections.read() as connection:
            rows = await connection.execute(chosen.group_by(labels.c.key).order_by(labels.c.key))
            return tuple(name for _, name in rows)

    async def may_open(self, person: int, image: int) -> bool:
        """Whether a picture is this person's, starred by them, or in one of their collections."""
        mine = exists().where((images.c.id == image) & (images.c.person == person))
        starred = exists().where((favourites.c.person == person) & (favourites.c.image == image))
        held = collected.join(collections, collections.c.id == collected.c.collection)
        kept = (
            select(collected.c.image)
            .select_from(held)
            .where((collected.c.image == image) & (collections.c.person == person))
            .exists()
        )
        async with self._connections.read() as connection:
            return bool((await connection.execute(select(mine | starred | kept))).scalar_one())

    async def servers(self, person: int, *, limit: int) -> tuple[int, ...]:
        """Servers in which this person has painted something that is kept, the latest first."""
        newest = select(images.c.guild, func.max(images.c.id).label("last"))
        own = newest.where((images.c.person == person) & images.c.guild.is_not(None)).group_by(images.c.guild)
        async with self._connections.read() as connection:
            rows = await connection.execute(own.order_by(text("last DESC")).limit(limit))
            return tuple(guild for guild, _ in rows)

    async def remember(self, person: int, query: Query, *, now: float) -> int:
        """Keep `query` for this person's buttons; its id, the same for the same query."""
        values = {"person": person, "query": to_json(query), "used": now}
        others = select(searches.c.id).where(searches.c.person == person).order_by(searches.c.used.desc())

        async def act(connection: AsyncConnection) -> int:
            kept = insert(searches).values(values)
            kept = kept.on_conflict_do_update(index_elements=["person", "query"], set_={"used": now})
            number: int = (await connection.execute(kept.returning(searches.c.id))).scalar_one()
            newest = others.where(searches.c.id != number).limit(KEPT - 1)
            old = (searches.c.person == person) & (searches.c.id != number) & searches.c.id.not_in(newest)
            await connection.execute(delete(searches).where(old))
            return number

        return await self._connections.write(act)

    async def remembered(self, person: int, number: int) -> Query | None:
        """What this person looked for, None when it is forgotten or was another's."""
        query = select(searches.c.query).where((searches.c.id == number) & (searches.c.person == person))
        async with self._connections.read() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else _queries.decode(found)

    async def tidy(self) -> None:
        """Write the index of words anew, before others write: what was deleted since the last start leaves the file."""
        async with self._connections.alone() as connection:
            await rewrite_index(connection)

    async def _page(self, found: "Select[int]", *, offset: int, limit: int) -> Page:
        """Ids first, so that a page far down does not read every row before it."""
        count = select(func.count()).select_from(found.order_by(None).subquery())
        async with self._connections.read() as connection:
            total = (await connection.execute(count)).scalar_one()
            ids = list((await connection.execute(found.limit(limit).offset(offset))).scalars())
            chosen = select(images).where(images.c.id.in_(ids))
            rows: Sequence[Row] = (await connection.execute(chosen)).mappings().all() if ids else ()
        place = {image: index for index, image in enumerate(ids)}
        return Page(images=readable(sorted(rows, key=lambda row: place[row["id"]]), image_of), total=total)


async def rewrite_index(connection: AsyncConnection) -> None:
    """Leave nothing in the index of words that belongs to no picture: deleting only marks it there."""
    await connection.execute(text("INSERT INTO search(search) VALUES ('optimize')"))


def _found(person: int, query: Query) -> "Select[int]":
    """Ids of what `query` finds, in its order. The rows of `images` are read only where something asks for them."""
    shelf = _shelf(person, query)
    (number,) = shelf.selected_columns
    conditions = _conditions(person, query)
    if conditions and number.table is not images:
        shelf = shelf.join(images, images.c.id == number)
    return shelf.where(*conditions).order_by(*_order(query.order, number))


def _shelf(person: int, query: Query) -> "Select[int]":
    """Ids of all that stands on the shelf."""
    if query.collection:
        mine = exists().where((collections.c.id == query.collection) & (collections.c.person == person))
        return select(collected.c.image).where((collected.c.collection == query.collection) & mine)
    if query.starred:
        return select(favourites.c.image).where(favourites.c.person == person)
    return select(images.c.id).where(images.c.person == person)


def _conditions(person: int, query: Query) -> list[ColumnElement[bool]]:
    """What a row of `images` must meet besides standing on the shelf."""
    conditions: list[ColumnElement[bool]] = []
    words = words_in(query.words)
    if words and not (query.starred or query.collection):
        expression = beginnings(person, words)
        matching = select(search.c.rowid).where(search.c.search.op("MATCH")(expression))
        conditions.append(images.c.id.in_(matching))
    else:
        conditions += [func.instr(images.c.words, f" {word}") > 0 for word in words]
    wanted: dict[LabelKind, str] = {kind: key_of(getattr(query, kind)) for kind in LABELS}
    conditions += [
        exists().where((labels.c.image == images.c.id) & (labels.c.kind == kind) & (labels.c.key == key))
        for kind, key in wanted.items()
        if key
    ]
    if query.since is not None:
        conditions.append(images.c.created >= query.since)
    if query.until is not None:
        conditions.append(images.c.created < query.until)
    return conditions


def _order(order: Order, number: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """Ids grow with time, so that their order is that of painting."""
    if order is Order.OLDEST:
        return (number.asc(),)
    if order is Order.STARS:
        stars = favourites.alias("stars")
        counted = select(func.count()).select_from(stars).where(stars.c.image == number).scalar_subquery()
        return counted.desc(), number.desc()
    return (number.desc(),)
