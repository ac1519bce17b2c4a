"""What people keep under a name (styles, seeds): how a name is read, and how a list is shown. Pure.

Owns the rules of names and how many one person may keep. Refuses to know what is kept.
"""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

from bot.discord_ui.cards import ACCENT
from bot.discord_ui.reply import Reply, Text
from bot.errors import LimitReached, RequestRefused

NAME: Final = 40
"""Characters of a name at most."""
MOST: Final = 100
"""Things of a kind that one person may keep."""
LIST: Final = 3500
"""Characters of a list that are shown; Discord takes 4,000 in a message."""
_UNSEEN: Final = frozenset("CZM")
"""Unicode's control, separator and mark characters: a name of these alone could not be seen."""


def read_name(text: str) -> str:
    """The name that `text` means, white space made single. Raises RequestRefused unless it has 1 to 40 characters."""
    name = " ".join(text.split())
    if all(unicodedata.category(sign)[0] in _UNSEEN for sign in name):
        raise RequestRefused(f"A name needs something that can be seen: 1 to {NAME} characters.")
    if len(name) > NAME:
        raise RequestRefused(f"A name may have at most {NAME} characters; this one has {len(name)}.")
    return name


def check_room(kept: Collection[str], name: str, *, noun: str) -> None:
    """Raise LimitReached when `name` would be one more than a person may keep; what is kept already may be changed."""
    if len(kept) >= MOST and name.casefold() not in {each.casefold() for each in kept}:
        raise LimitReached(f"You keep {len(kept)} {noun}s, and {MOST} is the most. Delete one that you do not need.")


def list_card(title: str, lines: Sequence[str], *, empty: str) -> Reply:
    """`lines` (markdown) under `title`, as many as fit, or `empty`."""
    if not lines:
        return Reply(parts=(Text(f"### {title}\n{empty}"),), accent=ACCENT)
    shown, room = [f"### {title}"], LIST
    for index, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            shown.append(f"-# and {len(lines) - index} more")
            break
        shown.append(line)
    return Reply(parts=(Text("\n".join(shown)),), accent=ACCENT)
