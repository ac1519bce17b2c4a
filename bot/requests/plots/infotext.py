"""The parameter text of a grid: that of its first cell, and which script made it from what.

Owns where the script's facts stand: before the version, as the webui's grids have them.
"""

import re
from collections.abc import Mapping
from typing import Final

from inference.api.infotext.quoting import quote

_VERSION: Final = re.compile(r", Version: [^,\n]*(?:, User: [^\n]*)?$")


def grid_text(text: str, facts: Mapping[str, str]) -> str:
    """`text` of a cell with `facts` (key to value, in order) added."""
    added = "".join(f", {key}: {quote(value)}" for key, value in facts.items())
    found = _VERSION.search(text)
    place = len(text) if found is None else found.start()
    return text[:place] + added + text[place:]
