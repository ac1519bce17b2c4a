"""Why a job failed: codes that cross the wire, each with whether a second try can help.

Owns the codes; refuses to know how a sentence reaches a person (`bot.errors` words what the engine left unsaid).
"""

from enum import StrEnum

import msgspec


class FailureCode(StrEnum):
    """One word for why a job ended without a picture."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_MODEL = "unknown_model"
    BROKEN_MODEL = "broken_model"
    BAD_SOURCE = "bad_source"
    OUT_OF_MEMORY = "out_of_memory"
    CANCELLED = "cancelled"
    WORKER_DIED = "worker_died"
    INTERNAL = "internal"


RETRYABLE = frozenset({FailureCode.WORKER_DIED})
"""Codes after which the same request deserves one more try: the fault was the process's, not the request's."""


class RequestInvalid(ValueError):
    """A request breaks an invariant; the message is a sentence that can be shown to the person who asked."""


def require(condition: bool, sentence: str) -> None:
    """Raise RequestInvalid with `sentence` unless `condition` holds."""
    if not condition:
        raise RequestInvalid(sentence)


class Failure(msgspec.Struct, frozen=True):
    """A failed job as a value.

    `message` is one clear sentence for the person: what was wrong and what would be right, never a traceback.
    """

    code: FailureCode
    message: str

    @property
    def retryable(self) -> bool:
        """Whether the same request may be tried once more."""
        return self.code in RETRYABLE
