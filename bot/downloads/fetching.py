"""One file from one address to the disk: hop by hop, byte by byte, with nothing believed that was only announced.

Owns redirects, resuming, limits, and what is told when it ends badly. A file that arrived whole has the length that was
announced and the digest that was wanted; what arrived in part is kept only where it can be gone on with, and that is said.
Refuses to know what the file is for.
"""

import asyncio
import errno
import hashlib
import re
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.downloads.links import SAFE, name_of
from bot.downloads.partial import Digest, Partial, Stamp
from bot.downloads.reach import PUBLIC, CheckedResolver, Reach
from bot.errors import RequestRefused

HOPS: Final = 8
PAUSES: Final = (1.0, 5.0, 15.0)
"""Seconds before each further try after a connection broke; one that brought something begins the row again."""
TIMES: Final = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
PIECE: Final = 1 << 20
SPARE: Final = 256 << 20
"""Bytes that stay free on the disk: the bot's own memory lies there too."""
MIB: Final = 1 << 20
LONGEST_HEADER: Final = 64 << 20
_SETTING: Final = "([downloads] in config.toml)"
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Heard = Callable[[int, int | None], None]
"""Is told how many bytes are there, of how many (None: not said)."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be fetched: an address, and what is known of it. `limit` in bytes; `token` goes to the first host alone.

    `name` makes a name of what the server calls it; what it raises ends the download before it begins.
    """

    url: URL
    limit: int
    name: Callable[[str], str]
    size: int | None = None
    sha256: str = ""
    token: str = ""


class Fetched(msgspec.Struct, frozen=True):
    """A file that is there whole: where it lies for now, what it is called, its digest and size."""

    partial: Partial
    name: str
    sha256: str
    bytes: int


class Broken(Exception):
    """The connection ended before the file did."""


async def fetch(
    wanted: Wanted,
    folder: Path,
    *,
    heard: Heard,
    reach: Reach = PUBLIC,
    resolver: AbstractResolver | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Fetched:
    """Fetch `wanted` into `folder`, going on with what is there of it. Raises RequestRefused."""
    partial = Partial(folder, str(wanted.url))
    connector = aiohttp.TCPConnector(resolver=CheckedResolver(reach, resolver), use_dns_cache=False)
    with partial.held():
        async with aiohttp.ClientSession(
            connector=connector, timeout=TIMES, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            transfer = Transfer(session, wanted, partial, reach=reach, heard=heard)
            try:
                return await _patiently(transfer, pauses)
            except OSError as error:
                partial.remove()
                raise RequestRefused(_unwritten(error)) from error


async def _patiently(transfer: "Transfer", pauses: Sequence[float]) -> Fetched:
    """Try again while the connection breaks."""
    tries = list(pauses)
    while True:
        before = transfer.arrived
        try:
            return await transfer.run()
        except Broken as error:
            if transfer.arrived > before:
                tries = list(pauses)
            if not tries:
                raise RequestRefused(transfer.broken(str(error))) from error
            await asyncio.sleep(tries.pop(0))


class Transfer:
    """The tries of one download."""

    def __init__(
        self, session: aiohttp.ClientSession, wanted: Wanted, partial: Partial, *, reach: Reach, heard: Heard
    ) -> None:
        self._session, self._wanted, self._partial, self._reach, self._heard = session, wanted, partial, reach, heard
        self.arrived = 0

    async def run(self) -> Fetched:
        """One try. Raises Broken, RequestRefused, OSError."""
        have, stamp = self._partial.known()
        headers = {"Accept-Encoding": "identity", "User-Agent": "Easel"}
        if stamp is not None:
            if stamp.total is not None and have >= stamp.total:
                have = self._partial.reopen(stamp.total)
            headers |= {"Range": f"bytes={have}-", "If-Range": stamp.etag}
        try:
            async with self._hop(headers) as answer:
                return await self._receive(answer, have, stamp)
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
            raise RequestRefused(
                f"The certificate of {self._wanted.url.host} is not trusted; nothing was fetched."
            ) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise Broken(f"{self._wanted.url.host} is not known; check the address and the network") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Broken(f"the connection to {self._wanted.url.host} broke or fell silent") from error

    def broken(self, why: str) -> str:
        """What to tell when there are no more tries."""
        have, stamp = self._partial.known()
        if stamp is None:
            self._partial.remove()
            return f"Nothing was downloaded: {why}."
        of = f" of {stamp.total / MIB:,.1f}" if stamp.total else ""
        return f"{have / MIB:,.1f}{of} MiB were downloaded, then {why}. They are kept for a week; the same again goes on there."

    @asynccontextmanager
    async def _hop(self, headers: dict[str, str]) -> AsyncGenerator[aiohttp.ClientResponse]:
        """The answer at the end of the redirects, each of which is checked. Raises RequestRefused."""
        url = self._wanted.url
        for _ in range(HOPS):
            self._reach.check(url)
            secret = {"Authorization": f"Bearer {self._wanted.token}"} if self._is_home(url) else {}
            async with self._session.get(url, headers={**headers, **secret}, allow_redirects=False) as answer:
                if answer.status not in {301, 302, 303, 307, 308}:
                    yield answer
                    return
                target = answer.headers.get("Location", "")
            try:
                url = url.join(URL(target))
            except ValueError as error:
                raise RequestRefused(f"{url.host} leads to an address that is none.") from error
        raise RequestRefused(f"{self._wanted.url.host} leads from one address to the next without an end.")

    def _is_home(self, url: URL) -> bool:
        return bool(self._wanted.token) and url.origin() == self._wanted.url.origin()

    async def _receive(self, answer: aiohttp.ClientResponse, have: int, stamp: Stamp | None) -> Fetched:
        self._check_status(answer, have)
        name = self._wanted.name(name_of(self._wanted.url, answer.url, answer.headers.get("Content-Disposition")))
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise RequestRefused(f"{answer.url.host} sends the file packed, which was not asked for.")
        have, total = self._place(answer, have, stamp)
        self._check_size(total)
        _check_room(self._partial.path.parent, (total or 0) - have)
        if have:
            digest = await asyncio.to_thread(self._partial.hashed)
        else:
            self._partial.begin(Stamp(_strong(answer.headers.get("ETag", "")), total))
            digest = hashlib.sha256()
        with self._partial.path.open("r+b") as file:
            file.seek(have)
            have = await self._pour(answer, file, digest, have=have, total=total, name=name)
        if total is not None and have < total:
            raise Broken(f"{self._wanted.url.host} ended the connection early")
        self._check_digest(digest.hexdigest())
        return Fetched(self._partial, name, digest.hexdigest(), have)

    async def _pour(
        self, answer: aiohttp.ClientResponse, file: BinaryIO, digest: Digest, *, have: int, total: int | None, name: str
    ) -> int:
        """Write what comes; returns how many bytes are there then."""
        limit = min(self._wanted.limit, total if total is not None else self._wanted.limit)
        self._heard(have, total)

        def keep(piece: bytes) -> None:
            file.write(piece)
            digest.update(piece)

        async for piece in answer.content.iter_chunked(PIECE):
            if not have and name.endswith(SAFE) and not _looks_safe(piece):
                self._partial.remove()
                raise RequestRefused(
                    f"What {answer.url.host} sends is no safetensors file, rather a web page or a pickle; nothing was kept. "
                    "Check the address: it must lead to the file itself."
                )
            have += len(piece)
            if have > limit:
                self._partial.remove()
                raise RequestRefused(self._too_long(total))
            await asyncio.to_thread(keep, piece)
            self.arrived = have
            self._heard(have, total)
        await asyncio.to_thread(file.flush)
        return have

    def _check_status(self, answer: aiohttp.ClientResponse, have: int) -> None:
        host = answer.url.host
        match answer.status:
            case 200:
                return
            case 206 if have:
                return
            case 416:
                self._partial.remove()
                raise Broken(f"{host} has another file there now")
            case 401 | 403:
                raise RequestRefused(f"{host} gives that file only to those who are logged in; fetch it in a browser.")
            case 404 | 410:
                raise RequestRefused(f"{host} has no such file ({answer.status}). Check the address.")
            case 429 | 500 | 502 | 503 | 504:
                raise Broken(f"{host} is overburdened ({answer.status})")
            case status:
                raise RequestRefused(f"{host} does not give that file (status {status}).")

    def _place(self, answer: aiohttp.ClientResponse, have: int, stamp: Stamp | None) -> tuple[int, int | None]:
        """How many bytes are there already, and the whole size that was announced. Raises Broken, RequestRefused."""
        if answer.status == 200:
            return 0, answer.content_length
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        etag = answer.headers.get("ETag")
        moved = stamp is None or (etag is not None and etag != stamp.etag)
        if found is None or int(found[1]) != have or moved:
            self._partial.remove()
            raise Broken(f"{answer.url.host} sends another part than was asked for")
        total = int(found[3]) if found[3] != "*" else stamp.total if stamp else None
        if stamp is not None and stamp.total is not None and total != stamp.total:
            self._partial.remove()
            raise Broken(f"{answer.url.host} has another file there now")
        return have, total

    def _check_size(self, total: int | None) -> None:
        wanted = self._wanted
        if total is not None and total > wanted.limit:
            self._partial.remove()
            raise RequestRefused(
                f"That file has {total / MIB:,.0f} MiB; at most {wanted.limit / MIB:,.0f} may be downloaded {_SETTING}."
            )
        if wanted.size is not None and total is not None and total != wanted.size:
            self._partial.remove()
            raise RequestRefused(
                f"The server would send {total:,} bytes where {wanted.size:,} were announced; nothing was kept."
            )

    def _too_long(self, total: int | None) -> str:
        if total is not None:
            return f"{self._wanted.url.host} sends more than the {total:,} bytes that it announced; nothing was kept."
        return (
            f"{self._wanted.url.host} sends more than {self._wanted.limit / MIB:,.0f} MiB, the most that may be downloaded "
            f"{_SETTING}; nothing was kept."
        )

    def _check_digest(self, found: str) -> None:
        if self._wanted.sha256 and found != self._wanted.sha256:
            self._partial.remove()
            raise RequestRefused(
                f"What came is not what was wanted: its sha256 is {found}, not {self._wanted.sha256}. Nothing was kept."
            )


def _looks_safe(piece: bytes) -> bool:
    """Whether a file that begins like this can be safetensors: the length of its header, and a brace."""
    return len(piece) < 9 or (int.from_bytes(piece[:8], "little") < LONGEST_HEADER and piece[8:9] == b"{")


def _strong(etag: str) -> str:
    """An ETag by which a part can be gone on with (RFC 9110, 13.1.5); weak ones promise too little."""
    return etag if etag.startswith('"') else ""


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise RequestRefused(
            f"The disk of {folder.parent} has {free / MIB:,.0f} MiB free, and {(needed + SPARE) / MIB:,.0f} MiB are needed. "
            "Make room, and try again."
        )


def _unwritten(error: OSError) -> str:
    if error.errno in _FULL:
        return "The disk, or what Easel may use of it, is full. What had arrived was removed; make room, and try again."
    return f"The file could not be written: {error.strerror or error}. Nothing of it was kept."
