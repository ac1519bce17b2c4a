"""The loopback Discord as one server on 127.0.0.1: REST, gateway, files, and the routes of a page beside them.

Owns sockets and the door: only this machine, only our own origin, and for pages only who has the secret.
"""

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.buckets import Buckets
from bot.sandbox.cdn import ROUTE, Cdn
from bot.sandbox.clock import Clock
from bot.sandbox.conformance import Conformance
from bot.sandbox.default_world import furnish
from bot.sandbox.doorplate import Doorplate
from bot.sandbox.driver import Person
from bot.sandbox.faults import FaultList
from bot.sandbox.gateway import Gateway
from bot.sandbox.persistence import FolderShelf, Journal
from bot.sandbox.refusals import refusal
from bot.sandbox.rest import Rest
from bot.sandbox.transport import PREFIX, REQUEST_LIMIT, Answer, Call, Gate
from bot.sandbox.world import World

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
OPEN_PATHS: Final = ("/api/", "/gateway", "/cdn/")
"""Paths that need no page secret: the bot's token, a gateway token or a signed link guards them."""
KEY: Final = "key"
GOODBYE_SECONDS: Final = 0.5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Mount = Callable[[web.Application, "Loopback"], None]
"""Adds the routes of a page; they are reached only with the page's secret."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where everything is."""

    base: str
    api: str
    gateway: str
    cdn: str
    page: str


def _no_route(_call: Call) -> Answer:
    raise refusal("no_route")


class Loopback:
    """A Discord on 127.0.0.1. With `folder` its world outlives the process; without, it ends with it.

    `token` is what the bot must log in with. `conformance` compares all traffic with Discord's own description.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        clock: Clock | None = None,
        conformance: Conformance | None = None,
        mounts: Sequence[Mount] = (),
        limits: Mapping[str, tuple[int, float]] | None = None,
        privileged_intents: int = 0,
    ) -> None:
        self.token = secrets.token_urlsafe(48)
        self._doorplate = Doorplate.read(folder) if folder else Doorplate.fresh()
        self.secret = self._doorplate.secret
        self.conformance = conformance
        self.faults = FaultList()
        self._journal = Journal(folder / "world.jsonl") if folder else None
        self._mounts = mounts
        if folder and self._journal:
            self.world = World(
                clock=clock,
                ledger=self._journal,
                shelf=FolderShelf(folder / "files"),
                records=self._journal.read(),
            )
        else:
            self.world = World(clock=clock)
        furnish(self.world)
        self.world.tidy()
        if self._journal:
            self._journal.everything = self.world.records
            self._journal.rewrite(self.world.records())
        self.gateway = Gateway(self.world, token=self.token, privileged=privileged_intents)
        self.gate = Gate(
            token=self.token,
            buckets=Buckets(self.world.clock, limits),
            faults=self.faults,
            conformance=conformance,
        )
        self._people: dict[str, Person] = {}
        self._runner: web.AppRunner | None = None
        self.urls = Urls("", "", "", "", "")

    def person(self, name: str) -> Person:
        """The person of that name or id, as one and the same driver each time. Raises KeyError."""
        for user in self.world.users.values():
            if name in {user.id, user.global_name, user.username} and not user.bot:
                return self._people.setdefault(user.id, Person(self.world, user.id))
        raise KeyError(name)

    @property
    def violations(self) -> list[str]:
        """What Discord would not have taken, or not have said, up to now."""
        return self.gate.violations

    async def start(self, port: int = 0) -> Urls:
        """Listen on 127.0.0.1; for 0 on the port of last time, or any free one. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=2 * REQUEST_LIMIT, middlewares=[self._door])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=GOODBYE_SECONDS)
        rest = self._add_routes(app)
        await self._runner.setup()
        await self._listen(self._runner, port)
        number = int(self._runner.addresses[0][1])
        self._doorplate.keep(number)
        base = f"http://{HOST}:{number}"
        gateway = f"ws://{HOST}:{number}/gateway"
        self.world.links.base = base
        self.gateway.url = rest.gateway_url = gateway
        self.urls = Urls(base, base + PREFIX, gateway, base + "/cdn", f"{base}/?{KEY}={self.secret}")
        return self.urls

    async def _listen(self, runner: web.AppRunner, port: int) -> None:
        """Open the port that is wanted; one that was only remembered may be somebody else's by now."""
        try:
            await web.TCPSite(runner, HOST, port or self._doorplate.port).start()
        except OSError:
            if port or not self._doorplate.port:
                raise
            await web.TCPSite(runner, HOST, 0).start()

    async def stop(self) -> None:
        """Close everything; the world is on disk already, and is written once more in short form."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        for person in self._people.values():
            person.leave()
        if self._journal is not None:
            self._journal.rewrite(self.world.records())
            self._journal.close()

    def _add_routes(self, app: web.Application) -> Rest:
        rest = Rest(self.world)
        for (method, path), route in rest.routes().items():
            app.router.add_route(method, PREFIX + path, self.gate.guard(route))
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get(ROUTE, Cdn(self.world).get)
        for mount in self._mounts:
            mount(app, self)
        app.router.add_route("*", PREFIX + "/{path:.*}", self.gate.guard(_no_route))
        return rest

    # -- the door -----------------------------------------------------------------------------------------------------

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who addresses this machine by its own name, from no other origin, and to a page who has the secret."""
        own = urlsplit(self.urls.base).netloc
        origin = request.headers.get("Origin")
        if request.host not in {own, own.replace(HOST, "localhost")}:
            return web.Response(status=403, text="This server answers to 127.0.0.1 only.")
        if origin is not None and origin not in {f"http://{own}", f"http://{own.replace(HOST, 'localhost')}"}:
            return web.Response(status=403, text="Pages of other origins are not let in.")
        if request.path.startswith(OPEN_PATHS):
            return await handler(request)
        return await self._page(request, handler)

    async def _page(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Pages want the secret, in the address the first time, then in a cookie that only this origin gets back."""
        cookie = f"easel_{request.url.port}"
        shown = request.query.get(KEY) or request.cookies.get(cookie, "")
        if not hmac.compare_digest(shown.encode(), self.secret.encode()):
            return web.Response(
                status=403, text="Open the address that Easel printed when it started: it carries a key."
            )
        response = await handler(request)
        if KEY in request.query and not response.prepared:
            response.set_cookie(cookie, self.secret, httponly=True, samesite="Strict", path="/")
        return response
