"""docs/operating.md is held to what it describes: settings, folders, files."""

import re
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from bot.discord_ui.client import PERMISSIONS
from bot.settings import PROJECT
from inference.engine.discovery import KINDS
from storage.database import FILE, Database

TEXT = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading."""
    return re.split(r"^## ", TEXT.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_setting_is_explained() -> None:
    """Each section of config.toml has its paragraph, and each of its keys is named in it."""
    config = tomllib.loads((PROJECT / "config.toml").read_text(encoding="utf-8"))
    words = section("Settings")
    for name, keys in config.items():
        paragraph = words.split(f"**`[{name}]`**", 1)[1].split("\n- **", 1)[0]
        assert [key for key in keys if f"`{key}`" not in paragraph] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.shelf)
def test_every_shelf_is_in_the_table(kind) -> None:
    """Folders and endings in the table are those that are looked for."""
    rows = [line for line in section("Where models go").splitlines() if line.startswith("| `models/")]
    (row,) = [row for row in rows if f"`models/{kind.folders[0]}`" in row]
    cells = row.split("|")
    assert set(re.findall(r"`models/([^`]+)`", cells[1])) == set(kind.folders)
    assert set(re.findall(r"`([^`]+)`", cells[3])) == set(kind.endings)


def test_the_rights_of_the_invitation_are_listed() -> None:
    """No right is asked for that the checklist does not name."""
    words = " ".join(section("First start with a real token").split())
    named = (
        "see the channel",
        "send messages",
        "in threads too",
        "attach files",
        "embed links",
        "history",
        "reactions",
    )
    assert all(name in words for name in named)
    assert sum(1 for _, wanted in PERMISSIONS if wanted) == len(named)


async def test_the_backup_command_copies_a_database_in_use(tmp_path: Path) -> None:
    """The command of the section on backup, run beside an open Easel, gives a database that another Easel opens."""
    (program,) = re.findall(r'python -c "(.*)"', section("Backup"))
    db = await Database.open(tmp_path / "data")
    try:
        await db.seeds.save(7, "lucky", 41, now=1.0)
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)  # noqa: ASYNC221 - nothing else runs here
    finally:
        await db.close()
    (tmp_path / "restored").mkdir()
    (tmp_path / "easel-backup.sqlite3").rename(tmp_path / "restored" / FILE)
    with closing(sqlite3.connect(tmp_path / "restored" / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    restored = await Database.open(tmp_path / "restored")
    try:
        found = await restored.seeds.find(7, "lucky")
    finally:
        await restored.close()
    assert found is not None
    assert found.seed == 41
