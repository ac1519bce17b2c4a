"""A server of files on 127.0.0.1 that can lie, break off, redirect and ask for tokens; and a hub of the same kind."""

import asyncio
import ipaddress
import json
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.downloads.reach import Address, Reach

HERE = Reach(schemes=("http", "https"), allows=lambda address: address.is_loopback)
"""May reach this machine, and nothing else."""


def only(*addresses: str) -> Reach:
    """May reach these addresses alone."""
    allowed = {ipaddress.ip_address(each) for each in addresses}

    def allows(address: Address) -> bool:
        return address in allowed

    return Reach(schemes=("http",), allows=allows)


def lora_bytes(*, rank: int = 4, fill: bytes = b"\x00") -> bytes:
    """A whole LoRA of one layer, made without torch."""
    names = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    sides = (("down", (rank, 768)), ("up", (320, rank)))
    fields: dict[str, Any] = {}
    place = 0
    for side, shape in sides:
        end = place + 4 * shape[0] * shape[1]
        fields[f"{names}.lora_{side}.weight"] = {"dtype": "F32", "shape": shape, "data_offsets": [place, end]}
        place = end
    header = json.dumps(fields).encode()
    return struct.pack("<Q", len(header)) + header + fill * place


@dataclass
class Shelf:
    """What the server does. `cut` ends so many of the first answers after that many bytes; `seen` are the requests."""

    data: bytes = field(default_factory=lora_bytes)
    etag: str = '"one"'
    announced: int | None = None
    cut: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    chunked: bool = False
    seen: list[web.Request] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    repository: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    awaited: int = 0
    taken: asyncio.Event = field(default_factory=asyncio.Event)

    def took(self, done: int) -> None:
        """The other side has so many bytes: a part that is all there may break off."""
        if self.awaited and done >= self.awaited:
            self.taken.set()

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Give the file, or a part of it."""
        self.seen.append(request)
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return web.Response(status=status)
        first = self._first(request)
        body = self.data[first:]
        answer = web.StreamResponse(status=206 if first else 200, headers=dict(self.headers))
        if self.etag:
            answer.headers["ETag"] = self.etag
        if first:
            answer.headers["Content-Range"] = f"bytes {first}-{len(self.data) - 1}/{len(self.data)}"
        length = self.announced if self.announced is not None and not first else len(body)
        if self.chunked:
            answer.enable_chunked_encoding()
        else:
            answer.content_length = length
        await answer.prepare(request)
        if self.cut:
            part = body[: self.cut.pop(0)]
            self.awaited, self.taken = first + len(part), asyncio.Event()
            await answer.write(part)
            await self.taken.wait()
            assert request.transport is not None
            request.transport.close()
            return answer
        await answer.write(body if self.chunked else body[:length])
        if not self.chunked and length > len(body):
            assert request.transport is not None
            request.transport.close()
            return answer
        await answer.write_eof()
        return answer

    def _first(self, request: web.Request) -> int:
        wanted = request.headers.get("Range", "")
        same = request.headers.get("If-Range", self.etag) == self.etag
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and same and self.ranges else 0

    async def lead(self, request: web.Request) -> web.StreamResponse:
        """Redirect."""
        self.seen.append(request)
        raise web.HTTPFound(self.redirects[request.match_info["name"]])

    async def about(self, request: web.Request) -> web.StreamResponse:
        """What the hub says of a repository."""
        if request.match_info["name"] != "fox" or not self.repository:
            return web.json_response(
                {"error": "Repository not found"}, status=404, headers={"X-Error-Code": "RepoNotFound"}
            )
        return web.json_response(self.repository)


@asynccontextmanager
async def serving(shelf: Shelf) -> AsyncGenerator[Shelf]:
    """`shelf` at a free port until the end of the block; its `url` ends in a slash."""
    app = web.Application()
    app.router.add_get("/files/{name}", shelf.file)
    app.router.add_get("/lead/{name}", shelf.lead)
    app.router.add_get("/api/models/{owner}/{name}", shelf.about)
    app.router.add_get("/api/models/{owner}/{name}/revision/{revision}", shelf.about)
    app.router.add_get("/{owner}/{name}/resolve/{revision}/{file:.+}", shelf.file)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        (address,) = runner.addresses
        shelf.url = f"http://127.0.0.1:{address[1]}/"
        yield shelf
    finally:
        await runner.cleanup()
