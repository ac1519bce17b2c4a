"""A visitor of the sandbox: starts `python -m bot` as anybody would, opens its page's socket, types commands, waits for cards.

For benchmarks that must leave the bot's process alone. Owns nothing of the bot; what it sees is what the page shows.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.e2e.easel import is_result

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 300.0
"""Seconds until a start or a picture is given up."""
_PAGE = re.compile(r"sandbox is at (http://\S+)")


class Visitor:
    """One person's page. `began` is `time.perf_counter()` when the process was started, `pid` its id."""

    def __init__(self, *, pid: int, began: float, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.pid, self.began = pid, began
        self._socket = socket
        self._number = 0
        self.channel = ""

    async def arrive(self) -> None:
        """Wait until the bot is there: it is online, and its commands are in the list."""
        hello = json.loads(await self._socket.receive_str())["view"]
        (guild,) = hello["guilds"]
        self.channel = next(channel["id"] for channel in guild["channels"] if channel["name"] == "paint")
        offered, online = hello["commands"], hello["bot"]["online"]
        while not (online and any(command["name"] == "imagine" for command in offered)):
            event = json.loads(await self._socket.receive_str()).get("event", {})
            offered = event["commands"] if event.get("type") == "commands" else offered
            online = event["online"] if event.get("type") == "bot" else online

    async def imagine(self, **options: object) -> tuple[float, float]:
        """Ask for a picture. Returns seconds until the bot acknowledged, and until the finished card was there."""
        self._number += 1
        deed = {"number": self._number, "deed": "slash", "command": "imagine", "channel": self.channel}
        began = time.perf_counter()
        await self._socket.send_str(json.dumps({**deed, "options": options}))
        acknowledged = 0.0
        while True:
            said = json.loads(await self._socket.receive_str())
            if said.get("answer") == self._number:
                assert said.get("value", {}).get("state") in {"deferred", "answered"}, said
                acknowledged = time.perf_counter() - began
            event = said.get("event", {})
            if event.get("type") == "message_create" and is_result(event["message"]):
                return acknowledged, time.perf_counter() - began


@asynccontextmanager
async def visiting(folder: Path, *, backend: str = "local") -> AsyncGenerator[Visitor]:
    """Start Easel's sandbox with its memory in `folder`, and end it afterwards. Raises TimeoutError after `PATIENCE`."""
    environment = {
        **os.environ,
        "EASEL_PATHS__DATA": str(folder),
        "EASEL_SANDBOX__OPEN_BROWSER": "false",
        "EASEL_INFERENCE__BACKEND": backend,
    }
    environment.pop("EASEL_DISCORD_TOKEN", None)
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", cwd=PROJECT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            page = await _page_of(process.stderr)
            reading = asyncio.create_task(process.stderr.read())
            async with aiohttp.ClientSession() as session, await _open(session, page) as socket:
                visitor = Visitor(pid=process.pid, began=began, socket=socket)
                await visitor.arrive()
                yield visitor
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await reading


async def _page_of(stream: asyncio.StreamReader) -> str:
    """The page's address, out of the log."""
    said = b""
    while line := await stream.readline():
        said += line
        if found := _PAGE.search(line.decode()):
            return found[1]
    raise RuntimeError(f"Easel ended before its page was up:\n{said.decode()}")


async def _open(session: aiohttp.ClientSession, page: str) -> aiohttp.ClientWebSocketResponse:
    base, _, key = page.partition("/?")
    return await session.ws_connect(f"{base}/socket?{key}", headers={"Origin": base}, max_msg_size=0)
