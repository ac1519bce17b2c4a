"""Long prompts in a choice of at most a hundred characters: the beginning is kept here, and a sign stands for it.

Discord takes 100 characters of name and value for a choice, and puts it in place of all that was typed. So a longer prompt is
shown as `⟦1a2b3c4d⟧…` and its end; what is typed on behind it stays, and when it is sent the sign becomes the beginning again.
A sign is the person's own, and made from the words, so that the same beginning has the same sign. Owns the signs and what is
behind them; in memory only, so a restart forgets them, which the person is told.
"""

import hashlib
import re
from collections import OrderedDict
from typing import Final

from bot.errors import NotFound

LIMIT: Final = 100
"""Characters of a choice."""
KEPT: Final = 2_000_000
"""Characters of all beginnings together; those not used for longest go first."""
_SIGN: Final = re.compile(r"\s*⟦([0-9a-f]{8})⟧…")
_STEP: Final = 40
_FORGOTTEN: Final = (
    "The beginning of your prompt, which ⟦…⟧ stood for, is not kept any more; type or paste it once more."
)


class Heads:
    """Beginnings of prompts by their signs."""

    def __init__(self) -> None:
        self._heads: OrderedDict[str, str] = OrderedDict()
        self._size = 0

    def whole(self, text: str, person: int) -> str:
        """`text` with its beginning, where it starts with a sign. Raises NotFound for one that is not kept, or another's."""
        found = _SIGN.match(text)
        if found is None:
            return text
        key = _key(found[1], person)
        head = self._heads.get(key)
        if head is None:
            raise NotFound(_FORGOTTEN)
        self._heads.move_to_end(key)
        return head + text[found.end() :]

    def shown(self, text: str, person: int) -> str:
        """`text` as a choice can hold it: as it is, or a sign and its end."""
        if len(text) <= LIMIT:
            return text
        room = LIMIT - len("⟦00000000⟧…")
        cut = -(-(len(text) - room) // _STEP) * _STEP  # the same for a while, as letters are added
        cut = min(cut, len(text) - 1)
        space = text.rfind(" ", cut - _STEP // 2, cut)
        if space >= 0 and len(text) - space <= room:
            cut = space
        head = text[:cut]
        sign = hashlib.blake2b(f"{person}:{head}".encode("utf-8", "replace"), digest_size=4).hexdigest()
        self._keep(_key(sign, person), head)
        return f"⟦{sign}⟧…{text[cut:]}"

    def _keep(self, key: str, head: str) -> None:
        if key in self._heads:
            self._heads.move_to_end(key)
            return
        self._heads[key] = head
        self._size += len(head)
        while self._size > KEPT and len(self._heads) > 1:
            _, oldest = self._heads.popitem(last=False)
            self._size -= len(oldest)


def _key(sign: str, person: int) -> str:
    return f"{person}:{sign}"
