"""HTTP for the REST routes: reading requests, writing answers, limits of size, faults, and who may ask.

Owns everything that is the same for all routes; what a route does is `rest`.
"""

import copy
import json
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiohttp import BodyPartReader, web

from bot.sandbox.buckets import Buckets
from bot.sandbox.faults import Fault, FaultList, Kind
from bot.sandbox.interactions import UPLOAD_LIMIT
from bot.sandbox.media import Upload
from bot.sandbox.messages import Draft
from bot.sandbox.refusals import InvalidForm, Refusal, refusal

if TYPE_CHECKING:
    from bot.sandbox.conformance import Conformance

log = logging.getLogger(__name__)

Json = dict[str, Any]
Answer = Json | list[Json] | None

PREFIX: Final = "/api/v10"
REQUEST_LIMIT: Final = 25 * 2**20
"""Bytes of a whole request."""
JSON_TYPE: Final = "application/json"
"""Exactly so: discord.py compares the header with this, a charset behind it makes every answer a string."""
FILE_FIELD: Final = re.compile(r"files\[(\d+)\]")
WITHOUT_TOKEN: Final = ("/interactions/", "/webhooks/", "/gateway")
REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what came, and how its route is written."""

    method: str
    path: str
    route: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str
    body: Any = None
    uploads: Mapping[str, Upload] = field(default_factory=dict[str, Upload])

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]

    @property
    def draft(self) -> Draft:
        """The body as a message. Raises Refusal when there is none."""
        if not isinstance(self.body, dict):
            raise refusal("invalid_json")
        return Draft(self.body, self.uploads)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]


Route = Callable[[Call], Answer]


def json_answer(answer: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with exactly the content type that Discord sends."""
    text = json.dumps(answer, separators=(",", ":")).encode()
    return web.Response(body=text, status=status, headers={**(headers or {}), "Content-Type": JSON_TYPE})


async def read_call(request: web.Request) -> Call:
    """Read a request whole. Raises Refusal: 40005 for too large, 50109 for what is no JSON."""
    resource = request.match_info.route.resource
    body: Any = None
    uploads: dict[str, Upload] = {}
    if (request.content_length or 0) > REQUEST_LIMIT:
        raise refusal("request_too_large")
    if request.content_type == "multipart/form-data":
        body, uploads = await _read_parts(request)
    elif request.can_read_body:
        body = _parse(await request.read())
    return Call(
        method=request.method,
        path=request.path.removeprefix(PREFIX),
        route=f"{request.method} {(resource.canonical if resource else '').removeprefix(PREFIX)}",
        parameters=dict(request.match_info),
        query=dict(request.query),
        content_type=request.content_type if request.can_read_body else "",
        body=body,
        uploads=uploads,
    )


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise refusal("invalid_json") from error


async def _read_parts(request: web.Request) -> tuple[Any, dict[str, Upload]]:
    """`payload_json` and `files[n]`."""
    body: Any = {}
    uploads: dict[str, Upload] = {}
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise refusal("invalid_json")
        data = bytes(await part.read())
        total += len(data)
        if len(data) > UPLOAD_LIMIT or total > REQUEST_LIMIT:
            raise refusal("request_too_large")
        named = FILE_FIELD.fullmatch(part.name or "")
        if part.name == "payload_json":
            body = _parse(data)
        elif named:
            uploads[named[1]] = Upload(part.filename or "file", data)
    return body, uploads


class Gate:
    """What every request passes: record, faults, token, conformance, rate limit, the route itself, conformance again."""

    def __init__(self, *, token: str, buckets: Buckets, faults: FaultList, conformance: "Conformance | None") -> None:
        self.calls: deque[Call] = deque(maxlen=REMEMBERED)
        self.buckets = buckets
        self.faults = faults
        self.conformance = conformance
        self.violations = conformance.violations if conformance else []
        self._token = token

    def guard(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The aiohttp handler of a route."""

        async def handle(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix(PREFIX)
            fault = self.faults.take(request.method, path)
            if fault is not None and fault.kind is Kind.RESET:
                return self._cut(request)
            try:
                call = await read_call(request)
            except Refusal as error:
                return json_answer(error.body(), status=error.status, headers={**error.headers, "Via": "1.1 easel"})
            self.calls.append(copy.deepcopy(call))
            if fault is not None and fault.kind is Kind.REFUSE:
                return json_answer(fault.body, status=fault.status, headers=fault.headers)
            response = self._answer(request, call, route)
            return response if fault is None else self._lose(request, fault)

        return handle

    def _answer(self, request: web.Request, call: Call, route: Route) -> web.Response:
        """Do it. Nothing is awaited between the first check and the answer."""
        headers = {"Via": "1.1 easel"}
        try:
            known = request.headers.get("Authorization") == f"Bot {self._token}"
            if not known and not call.path.startswith(WITHOUT_TOKEN):
                raise refusal("unauthorized")
            if self.conformance is not None:
                self.conformance.check_request(call)
            if not call.path.startswith("/interactions/"):
                headers |= self.buckets.take(call.route, "/".join(call.path.split("/")[1:3]))
            answer = route(call)
            status = 204 if answer is None else 200
        except Refusal as error:
            headers |= error.headers
            answer, status = error.body(), error.status
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            log.exception("%s %s has a body of an unexpected shape", call.method, call.path)
            self.violations.append(f"{call.method} {call.path} body of an unexpected shape: {error!r}")
            answer, status = InvalidForm([((), "BASE_TYPE_BAD_TYPE", "The body has an unexpected shape.")]).body(), 400
        if self.conformance is not None:
            self.conformance.check_answer(call, status, answer)
        return (
            web.Response(status=204, headers=headers)
            if answer is None
            else json_answer(answer, status=status, headers=headers)
        )

    def _lose(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """It was done; the answer does not arrive."""
        return json_answer(fault.body, status=fault.status) if fault.status else self._cut(request)

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        """End the connection without an answer."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
