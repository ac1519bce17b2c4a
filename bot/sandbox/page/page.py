"""The page's routes on the loopback server: its files, one websocket for a person's screen and deeds, and uploads.

Owns the little protocol between page and server. What a person may do is the driver's to say, who is let in the server's;
nothing here knows Easel. The websocket speaks JSON::

    to the page     {"view": view, "accepts": bool}                          once, when it opens
                    {"event": event}                                         as `bot.sandbox` describes them
                    {"answer": number, "value": …} or {"answer": number, "error": sentence}
    from the page   {"number": int, "deed": name of a DEEDS row, …its arguments}
"""

import asyncio
import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import WSMsgType, web

from bot.sandbox.driver import Exchange, Person
from bot.sandbox.events import Subscription
from bot.sandbox.forms import Refused
from bot.sandbox.interactions import UPLOAD_LIMIT
from bot.sandbox.refusals import Refusal
from bot.sandbox.server import Loopback

Json = dict[str, Any]
Deed = Callable[[Person, Json], Awaitable[object] | object]

STATIC: Final = Path(__file__).parent / "static"
FRAME_LIMIT: Final = 2**20
"""Bytes of one message from the page; files come by POST."""
HEARTBEAT: Final = 20.0
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


async def _exchange(doing: Awaitable[Exchange]) -> Json:
    """How an interaction stands after the bot's first answer."""
    done = await doing
    return {"id": done.id, "state": done.state, "error": done.error, "modal": done.modal}


DEEDS: Final[Mapping[str, Deed]] = {
    "slash": lambda who, a: _exchange(who.slash(a["command"], a["channel"], **a["options"])),
    "autocomplete": lambda who, a: who.autocomplete(a["command"], a["channel"], a["option"], a["text"], **a["options"]),
    "click": lambda who, a: _exchange(who.click(a["message"], a["custom_id"])),
    "select": lambda who, a: _exchange(who.select(a["message"], a["custom_id"], a["values"])),
    "submit": lambda who, a: _exchange(who.submit(str(a["interaction"]), a["values"])),
    "message_menu": lambda who, a: _exchange(who.message_menu(a["message"], a["command"])),
    "user_menu": lambda who, a: _exchange(who.user_menu(a["user"], a["command"], a["channel"])),
    "commands": lambda who, a: who.commands(a["channel"]),
    "say": lambda who, a: who.say(a["channel"], a["text"], files=a["files"], reply_to=a["reply_to"]),
    "edit": lambda who, a: who.edit(a["message"], a["text"]),
    "delete": lambda who, a: who.delete(a["message"]),
    "dismiss": lambda who, a: who.dismiss(a["message"]),
    "react": lambda who, a: who.react(a["message"], a["emoji"]),
    "unreact": lambda who, a: who.unreact(a["message"], a["emoji"]),
    "read": lambda who, a: who.read(a["channel"]),
    "typing": lambda who, a: who.type_in(a["channel"]),
    "history": lambda who, a: who.history(a["channel"], before=a["before"]),
    "open_dm": lambda who, _: who.open_dm(),
    "accept_dms": lambda who, a: who.accept_direct_messages(accepted=a["accepted"]),
}
"""What the page can ask for, by name."""


def mount(app: web.Application, loopback: Loopback) -> None:
    """Add the page to a loopback server: `Loopback(mounts=[mount])`."""
    page = Page(loopback)
    app.router.add_get("/", page.index)
    app.router.add_get("/static/{name:.+}", page.file)
    app.router.add_get("/socket", page.socket)
    app.router.add_post("/upload", page.upload)
    app.on_shutdown.append(page.close)


class Page:
    """The handlers, and the websockets that are open."""

    def __init__(self, loopback: Loopback) -> None:
        self._loopback = loopback
        self._sockets: set[web.WebSocketResponse] = set()
        self._files = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.suffix in TYPES}

    async def index(self, _request: web.Request) -> web.Response:
        """The page itself."""
        return self._static("index.html")

    async def file(self, request: web.Request) -> web.Response:
        """One of the page's own files; 404 for any other name."""
        return self._static(request.match_info["name"])

    def _static(self, name: str) -> web.Response:
        path = self._files.get(name)
        if path is None:
            return web.Response(status=404, text="The page has no such file.", headers=HEADERS)
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0]
        return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8", headers=HEADERS)

    def _person(self, request: web.Request) -> Person:
        """Whose screen it is: `?as=` an id or a name, the server's owner without. Raises HTTPNotFound."""
        world = self._loopback.world
        try:
            return self._loopback.person(request.query.get("as") or world.people()[0])
        except KeyError as error:
            raise web.HTTPNotFound(text="There is no such person.") from error

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file (`?name=`, the body its bytes); answers `{"id"}`, which stands for it in a deed."""
        _from_page(request)
        if (request.content_length or 0) > UPLOAD_LIMIT:
            return web.Response(status=413, text=f"A file may have {UPLOAD_LIMIT // 2**20} MiB; this one is larger.")
        data = await request.read()
        person = self._person(request)
        try:
            file_id = person.upload(data, request.query.get("name", "file"), channel=request.query.get("channel"))
        except (Refused, Refusal) as error:
            return web.Response(status=400, text=str(error))
        return web.json_response({"id": file_id})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """A person's screen and hands, for as long as the page is open."""
        _from_page(request)
        person = self._person(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=FRAME_LIMIT)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await _serve(socket, person)
        except* ConnectionError:
            pass  # the page was closed while something was on its way to it
        finally:
            self._sockets.discard(socket)
        return socket

    async def close(self, _app: web.Application) -> None:
        """Tell the open pages that the program ends."""
        for socket in list(self._sockets):
            await socket.close(code=1001, message=b"Easel stops")


def _from_page(request: web.Request) -> None:
    """Browsers say where a websocket or a POST comes from; the server compares it. Raises HTTPForbidden without it."""
    if "Origin" not in request.headers:
        raise web.HTTPForbidden(text="Only the page itself may do that.")


async def _serve(socket: web.WebSocketResponse, person: Person) -> None:
    """Show the screen and do what is asked, until the page closes. Raises ExceptionGroup when a connection breaks."""
    with person.subscribe() as events:
        accepts = person.world.users[person.id].accepts_direct_messages
        hello = json.dumps({"view": person.view(), "accepts": accepts})
        async with asyncio.TaskGroup() as tasks:
            screen = tasks.create_task(_show(socket, hello, events))
            await _obey(socket, person, tasks)
            screen.cancel()


async def _show(socket: web.WebSocketResponse, hello: str, events: Subscription) -> None:
    """Send the screen as it is, then every change."""
    await socket.send_str(hello)
    async for event in events:
        await socket.send_str(json.dumps({"event": event}))


async def _obey(socket: web.WebSocketResponse, person: Person, tasks: asyncio.TaskGroup) -> None:
    """Do what the page asks, several things at once, until it closes."""
    running: set[asyncio.Task[None]] = set()
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            task = tasks.create_task(_do(socket, person, message.data))
            running.add(task)
            task.add_done_callback(running.discard)
    for task in running:
        task.cancel()


async def _do(socket: web.WebSocketResponse, person: Person, text: str) -> None:
    """One deed and its answer."""
    number: object = None
    try:
        asked = cast("Json", json.loads(text))
        number = asked["number"]
        value = DEEDS[asked["deed"]](person, asked)
        if isinstance(value, Awaitable):
            value = await cast("Awaitable[object]", value)
        answer: Json = {"answer": number, "value": value}
    except (Refused, Refusal) as error:
        answer = {"answer": number, "error": str(error)}
    except TimeoutError:
        answer = {"answer": number, "error": "The application did not respond"}
    except (AttributeError, KeyError, TypeError, ValueError):
        answer = {"answer": number, "error": "The page asked for something that is not understood."}
    if not socket.closed:
        await socket.send_str(json.dumps(answer))
