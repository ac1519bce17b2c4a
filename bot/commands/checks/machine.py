"""The machine below Easel: Python and its packages, the disk, the NVIDIA card and its driver.

Refuses to know whether torch can use the card; that is the painter's own word (`bot.commands.checks.painter`).
"""

import asyncio
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.commands.checks.finding import Finding, fault, note, ok
from bot.settings import Settings

GIB = 2**30
LITTLE, TOO_LITTLE = 2 * GIB, GIB // 4
"""Bytes free: below the first a few evenings of pictures fill the disk, below the second a picture may not be saved."""
PACKAGES = ("torch", "diffusers", "discord.py")
ASK_CARD = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")
CARD_SECONDS = 20.0
"""Seconds that the driver has to answer; a card that just fell off the bus keeps `nvidia-smi` waiting for ever."""


@dataclass(frozen=True, slots=True)
class Card:
    """An NVIDIA card as its driver describes it; `memory` is in MiB."""

    name: str
    driver: str
    memory: int


def python_finding() -> Finding:
    """Which Python runs this, and the packages that matter most."""
    found = f"{platform.python_version()} in {sys.prefix}"
    try:
        packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    except PackageNotFoundError as error:
        return fault("Python", f"{found}, without the package {error.name}", "Start Easel with `python run.py`.")
    return ok("Python", f"{found}; {packages}")


def existing(folder: Path) -> Path:
    """`folder`, or the nearest folder above it that is there already."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def disk_finding(folder: Path) -> Finding:
    """Whether pictures can be written at `folder`, and for how long."""
    place = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return fault(
            "Disk",
            f"{place} cannot be written to: {error.strerror or error}",
            "Give the user who runs Easel the right to write there, or set another `data` in [paths] of config.toml.",
        )
    return room_finding(folder, free)


def room_finding(folder: Path, free: int) -> Finding:
    """What `free` bytes at `folder` mean."""
    found = f"{free / GIB:.1f} GiB free for {folder}"
    if free < TOO_LITTLE:
        return fault("Disk", found, "Make room: pictures can no longer be saved reliably.")
    if free < LITTLE:
        return note("Disk", found, "Make room soon, or set another `data` in [paths] of config.toml.")
    return ok("Disk", found)


async def ask_cards(command: Sequence[str] = ASK_CARD) -> tuple[tuple[Card, ...], str]:
    """Ask the driver for its cards. Returns them, and in words what went wrong (empty when nothing did)."""
    program = shutil.which(command[0])
    if program is None:
        return (), ""
    process = await asyncio.create_subprocess_exec(
        program, *command[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(CARD_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return (), f"it did not answer within {CARD_SECONDS:.0f} seconds"
    text = output.decode(errors="replace").strip()
    if process.returncode:
        return (), " ".join(text.split()) or f"it ended with status {process.returncode}"
    return read_cards(text), ""


def read_cards(text: str) -> tuple[Card, ...]:
    """Cards out of the driver's lines `name, driver, MiB`; a line of another form is passed over."""
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    return tuple(Card(row[0], row[1], int(row[2])) for row in rows if len(row) == 3 and row[2].isdecimal())


def card_finding(cards: Sequence[Card], trouble: str, *, device: str) -> Finding:
    """What the driver said; `device` is the setting."""
    if trouble:
        return note("Card", f"the NVIDIA driver does not work: {trouble}", "Restart the machine; then mend the driver.")
    if cards:
        listed = "; ".join(f"{card.name}, {card.memory / 1024:.0f} GiB, driver {card.driver}" for card in cards)
        return ok("Card", listed)
    if device == "cuda":
        return note(
            "Card",
            'no NVIDIA driver, but config.toml asks for device = "cuda"',
            'Install NVIDIA\'s driver, or set device = "auto" in [inference].',
        )
    return ok("Card", "no NVIDIA driver: Easel paints on the CPU, which is slow for all but small models")


async def machine_findings(settings: Settings) -> tuple[tuple[Finding, ...], tuple[Card, ...]]:
    """All about the machine, and the cards for those who look further."""
    cards, trouble = await ask_cards()
    folders = dict.fromkeys((settings.data,))
    disks = [disk_finding(folder) for folder in folders]
    return (python_finding(), *disks, card_finding(cards, trouble, device=settings.inference.device)), cards
