"""The answers by which Discord refuses, with its own codes and words.

    Refusal            any answer that is not 2xx: HTTP status, Discord's code, message, where in the body
    └── InvalidForm    400, 50035: lists every fault of a body at the place where it is

Source: Discord's documentation, "Opcodes and Status Codes", JSON error codes.
"""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
"""An object as it travels."""
Place = tuple[str | int, ...]
"""Where in a body: keys and indexes from the top."""


class Refusal(Exception):
    """Discord says no."""

    def __init__(self, status: int, code: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> Json:
        """What is sent."""
        return {"message": self.message, "code": self.code}


REFUSALS: Final[Mapping[str, tuple[int, int, str]]] = {
    "unauthorized": (401, 0, "401: Unauthorized"),
    "no_route": (404, 0, "404: Not Found"),
    "unknown_application": (404, 10002, "Unknown Application"),
    "unknown_channel": (404, 10003, "Unknown Channel"),
    "unknown_guild": (404, 10004, "Unknown Guild"),
    "unknown_member": (404, 10007, "Unknown Member"),
    "unknown_message": (404, 10008, "Unknown Message"),
    "unknown_user": (404, 10013, "Unknown User"),
    "unknown_emoji": (400, 10014, "Unknown Emoji"),
    "unknown_webhook": (404, 10015, "Unknown Webhook"),
    "unknown_interaction": (404, 10062, "Unknown interaction"),
    "unknown_command": (404, 10063, "Unknown application command"),
    "too_many_reactions": (403, 30010, "Maximum number of reactions reached (20)"),
    "request_too_large": (413, 40005, "Request entity too large"),
    "already_acknowledged": (400, 40060, "Interaction has already been acknowledged."),
    "missing_access": (403, 50001, "Missing Access"),
    "not_your_message": (403, 50005, "Cannot edit a message authored by another user"),
    "empty_message": (400, 50006, "Cannot send an empty message"),
    "closed_dms": (403, 50007, "Cannot send messages to this user"),
    "missing_permissions": (403, 50013, "Missing Permissions"),
    "invalid_webhook_token": (401, 50027, "Invalid Webhook Token"),
    "invalid_json": (400, 50109, "The request body contains invalid JSON."),
}
"""Name here -> HTTP status, code, words."""


def refusal(name: str) -> Refusal:
    """The refusal of that name in the table."""
    status, code, message = REFUSALS[name]
    return Refusal(status, code, message)


class InvalidForm(Refusal):
    """A body that Discord does not accept, with each fault where it is."""

    def __init__(self, faults: list[tuple[Place, str, str]]) -> None:
        super().__init__(400, 50035, "Invalid Form Body")
        self.faults = faults
        self.args = ("Invalid Form Body: " + "; ".join(f"{'.'.join(map(str, p))}: {words}" for p, _, words in faults),)

    def body(self) -> Json:
        """Discord's nesting: the place as keys, then `_errors`."""
        tree: Json = {}
        for place, code, words in self.faults:
            node = tree
            for key in place:
                node = node.setdefault(str(key), {})
            node.setdefault("_errors", []).append({"code": code, "message": words})
        return {"message": self.message, "code": self.code, "errors": tree}


class Faults:
    """Collects what is wrong with a body; `raise_if_any` refuses with all of it at once."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str, str]] = []

    def add(self, place: Place, code: str, words: str) -> None:
        """Note one fault."""
        self._found.append((place, code, words))

    def longest(self, place: Place, value: str, most: int) -> None:
        """Note that `value` is longer than `most` characters, if it is."""
        if len(value) > most:
            self.add(place, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def length(self, place: Place, value: object, bounds: tuple[int, int]) -> None:
        """Note that `value` is no text, or not between the bounds in length."""
        least, most = bounds
        if not isinstance(value, str):
            self.add(place, "BASE_TYPE_REQUIRED", "This field is required and must be text.")
        elif not least <= len(value) <= most:
            self.add(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def count(self, place: Place, values: object, bounds: tuple[int, int]) -> None:
        """Note that a list has too few or too many items."""
        least, most = bounds
        number = len(values) if isinstance(values, list) else -1  # pyright: ignore[reportUnknownArgumentType]
        if not least <= number <= most:
            self.add(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def raise_if_any(self) -> None:
        """Refuse with everything that was noted. Raises InvalidForm."""
        if self._found:
            raise InvalidForm(self._found)
