"""Pictures in zip files that Discord takes: which go together, what they are called, and writing them.

Owns that plan. A zip is written to a file, one picture at a time, so that memory does not grow with what is exported.
Refuses to know where the zips go.
"""

import zipfile
from collections.abc import Sequence
from typing import IO, Final

from bot.discord_ui.markup import counted
from bot.discord_ui.pictures import fit_file
from bot.errors import LimitReached, NotFound
from storage.gallery_values import Packed

ENTRY: Final = 400
"""Bytes of a zip for each picture besides the picture: two headers with the name in each, rounded up."""
ENDING: Final = 1024
"""Bytes of a zip besides its pictures."""
ZIPS: Final = 25
"""Zips of one export at most."""
PICTURES: Final = 5_000
"""Pictures of one export at most."""
_WHEN: Final = (1980, 1, 1, 0, 0, 0)
"""The same pictures make the same zip."""
_MEBIBYTE: Final = 2**20


def plan(pictures: Sequence[Packed], *, limit: int) -> tuple[tuple[Packed, ...], ...]:
    """`pictures` in order, as many to a zip as fit `limit` bytes. Raises NotFound for none, LimitReached for too many."""
    if not pictures:
        raise NotFound("There is no picture to put into a zip.")
    zips: list[list[Packed]] = []
    room = 0
    for picture in pictures:
        size = min(picture.bytes, limit - ENTRY - ENDING) + ENTRY
        if size > room:
            zips.append([])
            room = limit - ENDING
        zips[-1].append(picture)
        room -= size
    if len(zips) > ZIPS or len(pictures) > PICTURES:
        whole = sum(picture.bytes for picture in pictures) / _MEBIBYTE
        many = f"more than {PICTURES:,} pictures" if len(pictures) > PICTURES else counted(len(pictures), "picture")
        raise LimitReached(
            f"These are {many} of {whole:,.0f} MiB, and an export has at most {ZIPS} zips of {limit / _MEBIBYTE:.0f} MiB "
            f"and {PICTURES:,} pictures. Find fewer, or put what you need into a collection and export that."
        )
    return tuple(tuple(each) for each in zips)


def entry_name(picture: Packed, *, ending: str = "png") -> str:
    """What a picture is called inside a zip: by its job, its place in it (from 1) and its seed."""
    return f"job-{picture.job}-{picture.index + 1}-seed-{picture.seed}.{ending}"


def add_entry(file: IO[bytes], picture: Packed, png: bytes, *, limit: int) -> None:
    """Add one picture to the zip in `file`, which was begun by this function or is empty. Blocks.

    A PNG that is over `limit` by itself goes in as WebP, as everywhere on Discord.
    """
    fitted = fit_file(png, limit=limit - ENTRY - ENDING)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as whole:  # a PNG does not get smaller
        whole.writestr(zipfile.ZipInfo(entry_name(picture, ending=fitted.ending), _WHEN), fitted.data)


def zip_name(number: int, count: int) -> str:
    """The file of the `number`-th of `count` zips."""
    return f"easel-{number}-of-{count}.zip" if count > 1 else "easel.zip"
