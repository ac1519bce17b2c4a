"""Discord's gateway, version 10, over websockets: sessions that hear events in order and can be taken up again.

Owns opcodes, sequence numbers, replay, intents and compression. Source: Discord's documentation, "Gateway".
"""

import asyncio
import contextlib
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol

from aiohttp import WSMsgType, web

from bot.sandbox import payloads
from bot.sandbox.events import Dispatch
from bot.sandbox.intents import GUILD_MEMBERS, GUILDS, MESSAGE_CONTENT, PRIVILEGED
from bot.sandbox.world import World

Json = dict[str, Any]

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 8, 9, 10, 11
UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, AUTHENTICATION_FAILED = 4001, 4002, 4003, 4004
ALREADY_AUTHENTICATED, DISALLOWED_INTENTS = 4005, 4014

HEARTBEAT_MILLISECONDS: Final = 41_250
ACKNOWLEDGED_AFTER: Final = 0.25
"""Seconds. discord.py notes when it sent a heartbeat only after the send; an answer that is there sooner than any network
could bring it is measured from the heartbeat before, and reported as a connection that cannot keep up."""
REPLAY: Final = 1000
"""How many events a session that lost its socket can catch up on."""


class _Packer(Protocol):
    """A compressor of one connection."""

    def __call__(self, data: bytes) -> bytes | str:
        """One message as it is sent."""
        ...


def _plain(data: bytes) -> str:
    return data.decode()


def _zlib_stream() -> _Packer:
    stream = zlib.compressobj()
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def _zstd_stream() -> _Packer:
    """Zstandard, where the library is installed; plain text else, which clients take as well."""
    try:
        library: Any = import_module("zstandard")
    except ModuleNotFoundError:
        return _plain
    stream: Any = library.ZstdCompressor().compressobj()
    return lambda data: bytes(stream.compress(data) + stream.flush(library.COMPRESSOBJ_FLUSH_BLOCK))


PACKERS: Final[dict[str, Callable[[], _Packer]]] = {"zlib-stream": _zlib_stream, "zstd-stream": _zstd_stream}
"""`compress` in the gateway's URL -> a packer for one connection."""


class Session:
    """What a bot identified as; it outlives its socket."""

    def __init__(self, intents: int) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.sequence = 0
        self.past: deque[Json] = deque(maxlen=REPLAY)
        self.connection: Connection | None = None

    def hear(self, event: Dispatch) -> None:
        """Send an event, or keep it for a resume, when the session has asked for its kind."""
        if event.intents and not event.intents & self.intents:
            return
        stripped = event.stripped is not None and not self.intents & MESSAGE_CONTENT
        self.send(event.name, event.stripped if stripped and event.stripped is not None else event.data)

    def send(self, name: str, data: Json) -> None:
        """One dispatch with the next sequence number."""
        self.sequence += 1
        frame: Json = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.past.append(frame)
        if self.connection is not None:
            self.connection.send(frame)

    def can_replay(self, after: int) -> bool:
        """Whether everything after that sequence number is still known."""
        oldest: int = self.past[0]["s"] if self.past else self.sequence + 1
        return oldest - 1 <= after <= self.sequence


class Connection:
    """One websocket: frames go out in order, by one writer."""

    def __init__(self, socket: web.WebSocketResponse, packer: _Packer) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._packer = packer
        self._frames: asyncio.Queue[Json | tuple[int, str] | None] = asyncio.Queue()

    def send(self, frame: Json) -> None:
        """Put a frame at the end of what is to be sent."""
        self._frames.put_nowait(frame)

    def close(self, code: int, reason: str = "") -> None:
        """Close after what is already waiting to be sent."""
        self._frames.put_nowait((code, reason))

    async def write(self) -> None:
        """Send what comes until closed."""
        while (frame := await self._frames.get()) is not None:
            if isinstance(frame, tuple):
                await self.socket.close(code=frame[0], message=frame[1].encode())
                return
            packed = self._packer(json.dumps(frame, separators=(",", ":")).encode())
            with contextlib.suppress(ConnectionError):
                await (self.socket.send_str(packed) if isinstance(packed, str) else self.socket.send_bytes(packed))


class Gateway:
    """All sessions of the bot with one world. `privileged` are the intents that the operator switched on."""

    def __init__(self, world: World, *, token: str, privileged: int = 0) -> None:
        self._world = world
        self._token = token
        self._forbidden = PRIVILEGED & ~privileged
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.heartbeats = 0
        self.acknowledges = True
        world.desk.gateway.append(self._hear)

    # -- what a test or an operator may order -------------------------------------------------------------------------

    def drop(self, code: int = 4000) -> None:
        """Close all sockets; sessions can be resumed."""
        for connection in self._connections():
            connection.close(code)

    def order_reconnect(self) -> None:
        """Opcode 7 to every session."""
        for connection in self._connections():
            connection.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Opcode 9 to every session; they are forgotten unless `resumable`."""
        connections = self._connections()
        if not resumable:
            self.sessions.clear()
        for connection in connections:
            connection.send({"op": INVALID_SESSION, "d": resumable})

    def _connections(self) -> list[Connection]:
        return [s.connection for s in self.sessions.values() if s.connection is not None]

    # -- sockets ------------------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from hello to its end."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(socket, PACKERS.get(request.query.get("compress", ""), lambda: _plain)())
        writer = asyncio.create_task(connection.write())
        connection.send({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT_MILLISECONDS, "_trace": ["easel"]}})
        try:
            async for frame in socket:
                if frame.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    break
                self._receive(connection, frame.data)
        finally:
            if connection.session is not None and connection.session.connection is connection:
                connection.session.connection = None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._world.set_bot_online(bool(self._connections()))
        return socket

    def _receive(self, connection: Connection, text: str | bytes) -> None:
        try:
            frame: Json = json.loads(text)
            opcode: int = frame["op"]
            data: Any = frame.get("d")
        except (ValueError, KeyError, TypeError):
            connection.close(DECODE_ERROR, "Error while decoding payload.")
            return
        if opcode == HEARTBEAT:
            self.heartbeats += 1
            if self.acknowledges:
                asyncio.get_running_loop().call_later(ACKNOWLEDGED_AFTER, connection.send, {"op": HEARTBEAT_ACK})
        elif opcode == IDENTIFY:
            self._identify(connection, data)
        elif opcode == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            connection.close(NOT_AUTHENTICATED, "Not authenticated.")
        elif opcode == REQUEST_MEMBERS:
            self._send_members(connection.session, data)
        elif opcode not in {PRESENCE, VOICE}:
            connection.close(UNKNOWN_OPCODE, "Unknown opcode.")

    def _identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            connection.close(ALREADY_AUTHENTICATED, "Already authenticated.")
        elif data.get("token") != self._token:
            connection.close(AUTHENTICATION_FAILED, "Authentication failed.")
        elif data["intents"] & self._forbidden:
            connection.close(DISALLOWED_INTENTS, "Disallowed intent(s).")
        else:
            session = Session(data["intents"])
            self.sessions[session.id] = session
            self._attach(connection, session)
            self._send_ready(session, data.get("shard") or [0, 1])

    def _attach(self, connection: Connection, session: Session) -> None:
        connection.session, session.connection = session, connection

    def _send_ready(self, session: Session, shard: list[int]) -> None:
        world = self._world
        guilds = [guild for guild in world.guilds.values() if world.bot_id in guild.members]
        ready: Json = {
            "v": 10,
            "user": {**payloads.user_payload(world.users[world.bot_id]), "verified": True, "mfa_enabled": False},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": shard,
            "application": {"id": world.bot_id, "flags": 0},
            "_trace": ["easel"],
        }
        session.send("READY", ready)
        for guild in guilds:
            session.hear(Dispatch("GUILD_CREATE", payloads.guild_create_payload(world, guild), GUILDS))
        world.set_bot_online(True)

    def _resume(self, connection: Connection, data: Json) -> None:
        session = self.sessions.get(data.get("session_id", ""))
        after = data.get("seq") or 0
        if data.get("token") != self._token:
            connection.close(AUTHENTICATION_FAILED, "Authentication failed.")
        elif session is None or not session.can_replay(after):
            connection.send({"op": INVALID_SESSION, "d": False})
        else:
            if session.connection is not None:
                session.connection.close(4000)
            self._attach(connection, session)
            for frame in [frame for frame in session.past if frame["s"] > after]:
                connection.send(frame)
            session.send("RESUMED", {"_trace": ["easel"]})
            self._world.set_bot_online(True)

    def _send_members(self, session: Session, data: Json) -> None:
        """Members by id or name; all of them only for those who have the intent."""
        world = self._world
        guild = world.guilds[str(data["guild_id"])]
        wanted = data.get("user_ids")
        ids = {str(i) for i in (wanted if isinstance(wanted, list) else [wanted])} if wanted else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        query = str(data.get("query") or "").lower()
        everybody = ids is None and not query
        chunk = [
            payloads.member_payload(world, member)
            for member in guild.members.values()
            if (ids is None or member.user_id in ids)
            and world.users[member.user_id].username.startswith(query)
            and (not everybody or session.intents & GUILD_MEMBERS or member.user_id == world.bot_id)
        ]
        answer: Json = {"guild_id": guild.id, "members": chunk, "chunk_index": 0, "chunk_count": 1}
        if data.get("nonce"):
            answer["nonce"] = data["nonce"]
        session.send("GUILD_MEMBERS_CHUNK", answer)

    def _hear(self, event: Dispatch) -> None:
        for session in list(self.sessions.values()):
            session.hear(event)
