"""Judging by Discord's own description: every request of the bot and every answer of ours against its OpenAPI document.

Owns the checker and what it found. The document (github.com/discord/discord-api-spec, MIT) is not shipped; it is read from
the path in the settings. jsonschema and referencing are needed only here and only then.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

from bot.sandbox.refusals import InvalidForm, Json
from bot.sandbox.rules.known_keys import unknown_keys

if TYPE_CHECKING:
    from bot.sandbox.transport import Answer, Call

log = logging.getLogger(__name__)

METHODS: Final = ("get", "put", "post", "patch", "delete")
SNOWFLAKE_KEYS: Final = frozenset({"recipient_id", "message_id", "channel_id", "guild_id"})
LENIENT: Final = frozenset({"attachments", "users", "roles", "messages"})
"""Where Discord takes whole numbers for ids, as its description says in words only."""
URN: Final = "urn:discord"
_SNOWFLAKE: Final = re.compile(r'"[0-9]{15,20}"')
"""An id as text: any other is as good."""


class _Validator(Protocol):
    """What is used of jsonschema."""

    def iter_errors(self, instance: object) -> Iterator[Any]:
        """All errors of an instance."""
        ...


class Conformance:
    """The checker. A request that Discord's description does not allow is refused with 50035 and noted in `violations`;
    so is every answer of ours that it does not describe."""

    def __init__(self, document: Json) -> None:
        referencing: Any = import_module("referencing")
        drafts: Any = import_module("referencing.jsonschema")
        resource = referencing.Resource(contents=document, specification=drafts.DRAFT202012)
        self._registry: Any = referencing.Registry().with_resource(URN, resource)
        self._validator: Any = import_module("jsonschema").Draft202012Validator
        self._cache: dict[str, _Validator] = {}
        # the same commands are registered, and answered with other ids, each time that a bot starts: seconds of checking
        self._good: set[tuple[str, bytes]] = set()
        self._operations = sorted(_operations(document), key=lambda entry: entry[2].count("{"))
        self.violations: list[str] = []
        self.checked = 0

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The checker for the document at `path`; None, and one line in the log, where the document or the checker's
        libraries are missing."""
        try:
            return cls(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            log.warning("There is no %s: requests are not compared with Discord's OpenAPI description.", path)
        except ModuleNotFoundError as error:
            log.warning(
                "%s is not installed: requests are not compared with Discord's OpenAPI description.", error.name
            )
        return None

    def check_request(self, call: "Call") -> None:
        """Note what is wrong with a request. Raises InvalidForm for what the description does not allow."""
        self.checked += 1
        self.violations += [
            f"{call.method} {call.path} {words}" for words in unknown_keys(call.method, call.path, call.body)
        ]
        found = self.request_faults(call.method, call.path, call.body)
        if found:
            self.violations += [f"{call.method} {call.path} {words}" for words in found]
            raise InvalidForm([((), "OPENAPI", words) for words in found])

    def check_answer(self, call: "Call", status: int, answer: "Answer") -> None:
        """Note what is wrong with an answer of ours."""
        self.checked += 1
        found = self.answer_faults(call.method, call.path, status, answer)
        self.violations += [f"answer {status} to {call.method} {call.path} {words}" for words in found]

    def request_faults(self, method: str, path: str, body: object) -> list[str]:
        """Sentences on a request's body. `path` is without /api/v10."""
        found = self._operation(method, path)
        if found is None:
            return [f"Discord's description has no {method} {path}"]
        template, operation = found
        wanted: Json = operation.get("requestBody") or {}
        if body is None:
            return ["a body is required"] if wanted.get("required") else []
        if not wanted:
            return ["no body is expected"]
        kind = "application/json" if "application/json" in wanted["content"] else next(iter(wanted["content"]))
        pointer = f"/paths/{_escape(template)}/{method.lower()}/requestBody/content/{_escape(kind)}/schema"
        return self._errors(pointer, _with_text_ids(body))

    def answer_faults(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Sentences on an answer's body."""
        found = self._operation(method, path)
        if found is None:
            return [] if status == 404 else [f"Discord's description has no {method} {path}"]
        template, operation = found
        answers: Json = operation["responses"]
        key = str(status) if str(status) in answers else f"{status // 100}XX"
        answer: Json | None = answers.get(key)
        if answer is None:
            return [f"Discord does not answer {status} here, but {', '.join(answers)}"]
        if "$ref" in answer:
            return []
        if "content" not in answer:
            return [] if body is None else ["no body is expected"]
        pointer = (
            f"/paths/{_escape(template)}/{method.lower()}/responses/{key}/content/{_escape('application/json')}/schema"
        )
        return self._errors(pointer, body)

    def _operation(self, method: str, path: str) -> tuple[str, Json] | None:
        for known, pattern, template, operation in self._operations:
            if known == method and pattern.fullmatch(path):
                return template, operation
        return None

    def _errors(self, pointer: str, body: object) -> list[str]:
        if pointer not in self._cache:
            schema = {"$ref": f"{URN}#{pointer}"}
            self._cache[pointer] = cast("_Validator", self._validator(schema, registry=self._registry))
        seen = pointer, hashlib.sha256(_SNOWFLAKE.sub('"0"', json.dumps(body, sort_keys=True)).encode()).digest()
        if seen in self._good:
            return []
        found = [_sentence(error) for error in self._cache[pointer].iter_errors(body)]
        if not found:
            self._good.add(seen)
        return found


def _operations(document: Json) -> Iterator[tuple[str, re.Pattern[str], str, Json]]:
    """Method, pattern of the path, path as written, operation."""
    for template, item in document["paths"].items():
        pattern = re.compile("[^/]+".join(map(re.escape, re.split(r"\{[^}]+\}", template))))
        for method in METHODS:
            if method in item:
                yield method.upper(), pattern, template, item[method]


def _sentence(error: Any) -> str:
    """The deepest reason of an error: of several shapes that would do, the one that came nearest."""
    while error.context:
        deepest = max(len(inner.absolute_path) for inner in error.context)
        error = next(inner for inner in error.context if len(inner.absolute_path) == deepest)
    return f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {str(error.message)[:300]}"


def _escape(part: str) -> str:
    """A JSON pointer's token."""
    return part.replace("~", "~0").replace("/", "~1")


def _with_text_ids(body: object, key: str = "") -> object:
    """A copy in which whole numbers stand as text where Discord takes both."""
    if isinstance(body, dict):
        items = cast("Json", body).items()
        return {k: str(v) if k in SNOWFLAKE_KEYS and isinstance(v, int) else _inner(k, v, key) for k, v in items}
    if isinstance(body, list):
        rows = cast("list[object]", body)
        return [str(v) if key in LENIENT and isinstance(v, int) else _with_text_ids(v, key) for v in rows]
    return body


def _inner(name: str, value: object, parent: str) -> object:
    if name == "id" and parent in {"attachments", "default_values"} and isinstance(value, int):
        return str(value)
    return _with_text_ids(value, name)
