"""Which names a file of weights may have, on every system that a models folder may be copied to. Pure.

Owns the test of names that people or servers hand over; a name that passes is one part of a path and shows as what it is.
"""

import unicodedata
from typing import Final

LONGEST: Final = 200
"""Bytes of a name in UTF-8, its ending included; file systems allow 255, and beside it lie names with longer endings."""
_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
_RESERVED: Final = frozenset(
    {
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "CONIN$",
        "CONOUT$",
        *(f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"),
    }
)
"""What Windows takes for a device, whatever ending follows."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that are not seen or turn the line round."""


class BadName(ValueError):
    """A name that no file gets; the message is a whole sentence."""


def file_name(text: str) -> str:
    """`text` as the name of a file, in Unicode's composed form. Raises BadName.

    No parts of a path, nothing that Windows reserves, nothing invisible, no dot or blank at the ends.
    """
    name = unicodedata.normalize("NFC", text)
    shown = "".join(char if unicodedata.category(char) not in _UNSEEN else "�" for char in name[:80])
    if not name.strip(" ."):
        raise BadName("A file needs a name of at least one letter or digit.")
    if bad := sorted(_FORBIDDEN.intersection(name)):
        raise BadName(f"“{shown}” cannot be a file's name: it must not contain {' '.join(bad)}.")
    if any(unicodedata.category(char) in _UNSEEN for char in name):
        raise BadName(f"“{shown}” cannot be a file's name: it contains characters that are not seen.")
    if name != name.strip(" .") or unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFKC", name).strip():
        raise BadName(f"“{shown}” cannot be a file's name: it must not begin or end with a dot or a blank.")
    if unicodedata.normalize("NFKC", name.split(".")[0]).strip().upper() in _RESERVED:
        raise BadName(f"“{shown}” cannot be a file's name: Windows keeps it for a device.")
    if len(name.encode()) > LONGEST:
        raise BadName(f"“{shown}…” is too long for a file's name; {LONGEST} bytes are the most.")
    return name
