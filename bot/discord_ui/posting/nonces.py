"""The mark that every post of a job carries, so that it is shown once however often it is sent.

Discord answers a second post with the same nonce with the first message for a few minutes (`enforce_nonce`). After that
the channel's history is read for the mark, which every card carries as the custom_id of its buttons.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

LIMIT: Final = 25
"""Characters of a nonce at most."""
_PREFIX: Final = "easel"


def nonce_of(job: int, *, post: int = 0) -> str:
    """The nonce of a job's `post`-th message, at most 25 characters; the same after a restart."""
    nonce = f"{_PREFIX}-{job}-{post}"
    if job < 0 or post < 0 or len(nonce) > LIMIT:
        raise ValueError(f"No nonce of {LIMIT} characters can be made of job {job} and post {post}.")
    return nonce


def custom_ids(components: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Every custom_id in a message's components (payloads), to know a card of ours again."""
    for part in components:
        if "custom_id" in part:
            yield part["custom_id"]
        yield from custom_ids(part.get("components") or ())


def is_card_of(components: Iterable[Mapping[str, Any]], expected: Iterable[str]) -> bool:
    """Whether a message's components carry all the custom_ids that a card is about to be sent with."""
    wanted = set(expected)
    return bool(wanted) and wanted <= set(custom_ids(components))
