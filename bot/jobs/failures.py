"""What a person reads when a job failed for a reason that is not theirs.

Owns how often it may be tried, and the sentences for what the engine left unsaid; its own come with the event.
"""

from collections.abc import Mapping
from typing import Final

from inference.api.errors import FailureCode
from inference.api.wire import Failed

DEATHS: Final = 2
"""Workers that one job may cost."""
ATTEMPTS: Final = 3
"""Beginnings after which a job is given up that was running when Easel itself went down."""
DIED: Final = "The painter broke down each time it began this picture; ask for a smaller one, or choose another model."
OURS: Final = "Something went wrong on our side while this picture was made; it has been written down. Try again."
SOURCE_GONE: Final = "The picture to begin from is gone; attach it again."
CELL_GONE: Final = "The series that this picture belonged to was stopped."
PICTURES_GONE: Final = "The pictures were deleted before they could be shown."
CLOSING: Final = "Easel is being closed; ask again when it is back."

_UNSAID: Final[Mapping[FailureCode, str]] = {
    FailureCode.BAD_REQUEST: "The painter does not understand this request; change something and try again.",
    FailureCode.UNKNOWN_MODEL: "The model is not there any more; choose another one.",
    FailureCode.BROKEN_MODEL: "The model's file cannot be used; choose another model.",
    FailureCode.BAD_SOURCE: "The picture to begin from cannot be used; attach another one.",
    FailureCode.OUT_OF_MEMORY: "The painter ran out of memory; ask for a smaller picture, or fewer at once.",
    FailureCode.CANCELLED: "The painter gave this picture up; try again.",
    FailureCode.WORKER_DIED: DIED,
    FailureCode.INTERNAL: OURS,
}


def sentence_of(failure: Failed) -> str:
    """The sentence for `failure`: the engine's own, or one for its code. A worker's death is only told when it is final."""
    if failure.code is FailureCode.WORKER_DIED:
        return DIED
    return failure.message.strip() or _UNSAID[failure.code]
