"""README.md says what is there."""

import re
from pathlib import Path

import pytest

from bot.discord_ui.client import PERMISSIONS
from bot.settings import PROJECT
from inference.api.catalog import SAMPLERS, SCHEDULES
from tools.readme_commands import table, written

README = PROJECT / "README.md"
PAGES = (README, PROJECT / "CHANGELOG.md", PROJECT / "CREDITS.md", PROJECT / "docs" / "operating.md")
LINK = re.compile(r"(?:\]\(|src=\")([^)#\s\"]+)")
HEAVIEST = 300 * 1000
DISCORDS_NAMES = {"read_messages": "view channel"}
"""Where discord.py says something else than Discord."""


def test_the_commands_are_those_that_are_registered() -> None:
    """The table of commands is what `python -m tools.readme_commands` writes."""
    page = README.read_text(encoding="utf-8")
    assert written(page) == page
    assert "| `/imagine` |" in table()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    """Every picture and page that a page points to is there."""
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not link.startswith(("http", "<"))]
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_pictures_are_light() -> None:
    """What the README shows loads on a phone: 300 kB a picture at most."""
    shown = [link for link in LINK.findall(README.read_text(encoding="utf-8")) if link.endswith(".png")]
    assert len(shown) >= 6
    assert [link for link in shown if (PROJECT / link).stat().st_size > HEAVIEST] == []


def test_the_invitation_is_told_as_it_is() -> None:
    """The permissions that the README names are those that the invitation asks for."""
    named = re.search(r"<!-- permissions -->(.*?)<!-- /permissions -->", README.read_text(encoding="utf-8"), re.DOTALL)
    assert named is not None
    asked = {DISCORDS_NAMES.get(name, name.replace("_", " ")) for name, wanted in PERMISSIONS if wanted}
    assert {each.strip() for each in named[1].replace("\n", " ").strip(" .").lower().split(",")} == asked


def test_numbers_of_the_catalogue() -> None:
    """As many samplers and schedules as the README says."""
    assert f"{len(SAMPLERS)} samplers and {len(SCHEDULES)} schedules" in " ".join(README.read_text("utf-8").split())
