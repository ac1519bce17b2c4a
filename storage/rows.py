"""Rows to values and back: the columns that hold JSON, and the one that may no longer decode.

Owns the encoding of requests and notes. Refuses to know queries.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import RowMapping

from inference.api.request import Request
from storage.errors import RequestUnreadable
from storage.values import Address, Image, Job, JobState, Post, Style, StyleSettings, Unreadable

_log = logging.getLogger("easel.storage")
_requests: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_notes: Final = msgspec.json.Decoder(tuple[str, ...])
_style_settings: Final = msgspec.json.Decoder(StyleSettings)
_ADDRESS: Final = Address.__struct_fields__
_IMAGE: Final = tuple(name for name in Image.__struct_fields__ if name != "request")
_STYLE: Final = tuple(name for name in Style.__struct_fields__ if name != "settings")
_JOB: Final = tuple(name for name in Job.__struct_fields__ if name not in {"address", "state", "request", "notes"})

Row = RowMapping
V = TypeVar("V")


def to_json(value: object) -> str:
    """`value` as the JSON text of a column."""
    return msgspec.json.encode(value).decode()


def job_of(row: Row) -> Job:
    """A row of `jobs`. Raises RequestUnreadable."""
    columns: dict[str, Any] = {name: row[name] for name in _JOB}
    return Job(
        **columns,
        address=_address(row),
        state=JobState(row["state"]),
        request=_request("job", row),
        notes=notes_of(row),
    )


def notes_of(row: Row) -> tuple[str, ...]:
    """The notes of a row of `jobs`."""
    return _notes.decode(row["notes"])


def address_columns(address: Address) -> dict[str, Any]:
    """`address` as columns of `jobs`."""
    return {name: getattr(address, name) for name in _ADDRESS}


def image_of(row: Row) -> Image:
    """A row of `images`. Raises RequestUnreadable."""
    columns: dict[str, Any] = {name: row[name] for name in _IMAGE}
    return Image(**columns, request=_request("picture", row))


def post_of(row: Row) -> Post:
    """A row of `posts`."""
    return Post(**{name: row[name] for name in Post.__struct_fields__})


def style_of(row: Row) -> Style:
    """A row of `styles`."""
    columns: dict[str, Any] = {name: row[name] for name in _STYLE}
    return Style(**columns, settings=_style_settings.decode(row["settings"]))


def readable(rows: Iterable[Row], convert: Callable[[Row], V]) -> tuple[V, ...]:
    """All rows that `convert` understands; one that it does not is logged and left out, so that it hides no other."""
    values: list[V] = []
    for row in rows:
        try:
            values.append(convert(row))
        except RequestUnreadable as error:
            _log.warning("%s", error.sentence)
    return tuple(values)


def unreadable(rows: Iterable[Row]) -> tuple[Unreadable, ...]:
    """The rows of `jobs` that `readable` leaves out."""
    found: list[Unreadable] = []
    for row in rows:
        try:
            _request("job", row)
        except RequestUnreadable as error:
            found.append(
                Unreadable(
                    id=row["id"],
                    state=JobState(row["state"]),
                    address=_address(row),
                    prompt=row["prompt"],
                    sentence=error.sentence,
                )
            )
    return tuple(found)


def _address(row: Row) -> Address:
    return Address(**{name: row[name] for name in _ADDRESS})


def _request(what: str, row: Row) -> Request:
    try:
        return _requests.decode(row["request"])
    except msgspec.MsgspecError as error:
        raise RequestUnreadable(what, row["id"], reason=str(error)) from error
