"""What one prompt field asks for: flags understood, `{a, b}` as a draft for each, --repeat as many of the same.

Owns the order (braces first, so that `--ar {1:1, 3:2}` is two) and how many there may be. Pure.
"""

import msgspec

from bot.errors import LimitReached
from bot.requests.braces import permutations
from bot.requests.chosen import MOST
from bot.requests.drafts import ImagineDraft
from bot.requests.flags import Understood, understand


class Order(msgspec.Struct, frozen=True):
    """One draft a job, whether every combination of each is wanted, and phrases for what was understood and left out."""

    drafts: tuple[ImagineDraft, ...]
    combine: bool = False
    notes: tuple[str, ...] = ()


def read_order(draft: ImagineDraft) -> Order:
    """What `draft` asks for, at least one job and at most MOST. Raises RequestRefused and LimitReached."""
    found: list[Understood] = [
        understand(msgspec.structs.replace(draft, prompt=prompt)) for prompt in permutations(draft.prompt, limit=MOST)
    ]
    drafts = tuple(each.draft for each in found for _ in range(each.repeat))
    if len(drafts) > MOST:
        raise LimitReached(f"This prompt asks for {len(drafts):,} jobs, and {MOST} at once is the most.")
    notes = dict.fromkeys(note for each in found for note in each.notes)
    return Order(drafts, any(each.combine for each in found), tuple(notes))
