"""Which webui wrote a text, as far as it matters for what the text means."""

import re

_BUILD = re.compile(r"([^-]+-[^-]+)-.*")
_VERSION = re.compile(
    r"\s*v?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<early>a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?"
    r"(?:-(?P<later>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post>\d*))?\s*",
    re.IGNORECASE,
)

Version = tuple[tuple[int, ...], int, int]
"""Release numbers, then -1 before the release, 0 for it, 1 after it, then commits since."""


def parse_version(text: object) -> Version | None:
    """`v1.7.0-225-gabcdef` as a value that can be compared; None for other programs' versions and for nonsense."""
    if not isinstance(text, str) or len(text) > 100:
        return None
    build = _BUILD.match(text)
    found = _VERSION.fullmatch(text if build is None else build[1])
    if found is None:
        return None
    numbers = [int(part) for part in found["release"].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    later = found["later"] if found["later"] is not None else found["post"]
    phase = -1 if found["early"] else 0 if later is None else 1
    return tuple(numbers), phase, int(later or 0)


V1_6_0: Version = ((1, 6), 0, 0)
V1_7_0_TABLE: Version = ((1, 7), 1, 225)
"""From here on the noise table is kept in full precision."""
V1_8_0: Version = ((1, 8), 0, 0)
V1_8_0_HIRES_STYLES: Version = ((1, 8), 1, 139)
