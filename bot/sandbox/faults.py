"""Things that go wrong between a bot and Discord, on order: for tests, and for trying by hand.

Owns a list of orders, each for some requests, so many times. Closed DMs, deleted channels and missing permissions are
states of the world (`World.set_direct_messages`, `delete_channel`, `change_channel`), not orders here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from bot.sandbox.refusals import Json


class Kind(Enum):
    """What goes wrong."""

    REFUSE = "answer with an error instead of doing it"
    DROP_ANSWER = "do it, then lose the answer"
    RESET = "end the connection before doing it"


@dataclass(slots=True)
class Fault:
    """One order. `wanted` sees method and path (without /api/v10); it happens `times` times and counts what is left."""

    kind: Kind
    wanted: Callable[[str, str], bool]
    times: int = 1
    status: int = 500
    body: Json = field(default_factory=dict[str, object])
    headers: dict[str, str] = field(default_factory=dict[str, str])


def on(method: str, part: str) -> Callable[[str, str], bool]:
    """Requests of that method whose path contains `part`."""
    return lambda m, path: m == method and part in path


class FaultList:
    """Orders that are still to happen."""

    def __init__(self) -> None:
        self.orders: list[Fault] = []

    def take(self, method: str, path: str) -> Fault | None:
        """The first order for this request, one time less; None when all is well."""
        for order in self.orders:
            if order.times > 0 and order.wanted(method, path):
                order.times -= 1
                return order
        return None

    def rate_limit(
        self, wanted: Callable[[str, str], bool], *, seconds: float = 0.05, times: int = 1, via: bool = True
    ) -> Fault:
        """429. Without a `Via` header discord.py takes it for a ban by Cloudflare and does not try again."""
        body: Json = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
        headers = {"Retry-After": str(seconds), "X-RateLimit-Scope": "user"} | ({"Via": "1.1 easel"} if via else {})
        return self._order(Fault(Kind.REFUSE, wanted, times, 429, body, headers))

    def server_error(self, wanted: Callable[[str, str], bool], *, times: int = 1, status: int = 500) -> Fault:
        """A 5xx before anything was done; discord.py tries again after 1, 3, 5, 7 and 9 seconds."""
        return self._order(
            Fault(Kind.REFUSE, wanted, times, status, {"message": "500: Internal Server Error", "code": 0})
        )

    def lose_answer(self, wanted: Callable[[str, str], bool], *, times: int = 1, status: int | None = None) -> Fault:
        """It is done, but the bot does not hear so: the connection ends, or a gateway's 5xx `status` comes instead."""
        return self._order(
            Fault(Kind.DROP_ANSWER, wanted, times, status or 0, {"message": "502: Bad Gateway", "code": 0})
        )

    def reset(self, wanted: Callable[[str, str], bool], *, times: int = 1) -> Fault:
        """The connection ends before anything is done."""
        return self._order(Fault(Kind.RESET, wanted, times))

    def _order(self, fault: Fault) -> Fault:
        self.orders.append(fault)
        return fault
