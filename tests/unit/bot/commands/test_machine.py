"""What the doctor says about the machine."""

import sys
from pathlib import Path

import pytest

from bot.commands.checks.finding import Level
from bot.commands.checks.machine import (
    Card,
    ask_cards,
    card_finding,
    disk_finding,
    machine_findings,
    python_finding,
    read_cards,
    room_finding,
)
from tests.unit.bot.commands.conftest import Make

RTX = Card("NVIDIA GeForce RTX 4090", "580.95.05", 24564)


def test_python_and_its_packages_are_named() -> None:
    """The interpreter that really runs and the version of torch are in the line, torch not having been imported."""
    finding = python_finding()
    assert finding.level is Level.OK
    assert sys.prefix in finding.found
    assert "torch 2." in finding.found
    assert "torch" not in sys.modules or sys.modules["torch"].__file__  # other tests may have imported it themselves


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    """Before the first start there is no data folder; what counts is the disk on which it will be made, and nothing is left."""
    finding = disk_finding(tmp_path / "data" / "deeper")
    assert str(tmp_path / "data" / "deeper") in finding.found
    assert "GiB free" in finding.found
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    """Where a file lies in place of the folder, Easel cannot work, and the line says which setting to change."""
    (tmp_path / "data").write_text("a file")
    finding = disk_finding(tmp_path / "data")
    assert finding.level is Level.FAULT
    assert f"{tmp_path / 'data'} cannot be written to" in finding.found
    assert "`data` in [paths]" in finding.advice


@pytest.mark.parametrize(("gib", "level"), [(0.1, Level.FAULT), (1.0, Level.NOTE), (100.0, Level.OK)])
def test_room_is_weighed(tmp_path: Path, gib: float, level: Level) -> None:
    """A full disk is a fault, a nearly full one worth a word."""
    finding = room_finding(tmp_path, int(gib * 2**30))
    assert finding.level is level
    assert f"{gib:.1f} GiB free" in finding.found


def program(folder: Path, *lines: str) -> tuple[str, str]:
    """A command that runs `lines` of Python, in place of NVIDIA's."""
    script = folder / "driver.py"
    script.write_text("\n".join(("import sys", *lines)))
    return sys.executable, str(script)


async def test_cards_are_read_from_the_driver(tmp_path: Path) -> None:
    """Name, driver and memory of each card, as NVIDIA's program prints them; other lines are passed over."""
    lines = ("print('NVIDIA GeForce RTX 4090, 580.95.05, 24564')", "print('a warning, perhaps')")
    assert await ask_cards(program(tmp_path, *lines)) == ((RTX,), "")


async def test_a_broken_driver_is_quoted(tmp_path: Path) -> None:
    """When the program fails, its words are in the line, and what to do follows."""
    cards, trouble = await ask_cards(
        program(tmp_path, "print('Failed to initialize NVML:\\nDriver mismatch')", "sys.exit(18)")
    )
    assert cards == ()
    finding = card_finding(cards, trouble, device="auto")
    assert finding.level is Level.NOTE
    assert finding.found == "the NVIDIA driver does not work: Failed to initialize NVML: Driver mismatch"
    assert "Restart the machine" in finding.advice


async def test_no_driver_is_no_trouble() -> None:
    """A machine without NVIDIA's program simply has no card; only a setting that asks for one is worth a word."""
    assert await ask_cards(("easel-no-such-program",)) == ((), "")
    assert card_finding((), "", device="auto").level is Level.OK
    asked = card_finding((), "", device="cuda")
    assert asked.level is Level.NOTE
    assert 'device = "cuda"' in asked.found


def test_a_card_is_named() -> None:
    """Name, memory and driver are in the line."""
    assert card_finding((RTX,), "", device="auto").found == "NVIDIA GeForce RTX 4090, 24 GiB, driver 580.95.05"
    assert read_cards("NVIDIA GB10, 580.1, [N/A]") == ()


async def test_the_machine_is_looked_at_as_a_whole(make: Make) -> None:
    """Python, disk and card come in this order, each once."""
    findings, _ = await machine_findings(make())
    assert [finding.topic for finding in findings] == ["Python", "Disk", "Card"]
