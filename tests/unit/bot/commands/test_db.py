"""`db backup` and `db check` say what they did and what to do, and never show a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands.db import back_up_database, check_database
from bot.errors import SetupError
from bot.settings import Settings
from storage.database import FILE, Database

Make = Callable[..., Settings]


async def test_a_backup_while_the_bot_runs(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A backup needs no stop of the bot, says how large it is and that the pictures' folder belongs to it."""
    database = await Database.open(tmp_path / "data")
    try:
        assert back_up_database(make(), tmp_path / "backup.sqlite3") == 0
        assert check_database(make()) == 0
    finally:
        await database.close()
    said = capsys.readouterr().out
    assert "backup.sqlite3 holds the database" in said
    assert f"Copy {tmp_path / 'data' / 'pictures'} too" in said
    assert "0 jobs and 0 pictures" in said
    with pytest.raises(SetupError, match="exists already"):
        back_up_database(make(), tmp_path / "backup.sqlite3")


async def test_a_check_finds_a_stray_file(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture file that belongs to nothing is mentioned, and is no fault."""
    database = await Database.open(tmp_path / "data")
    try:
        await database.pictures.put(b"stray")
        assert check_database(make()) == 0
    finally:
        await database.close()
    assert "1 picture files belong to no picture or job" in capsys.readouterr().out


def test_no_database(make: Make, tmp_path: Path) -> None:
    """Before the first start both say that there is nothing yet."""
    for act in (lambda: check_database(make()), lambda: back_up_database(make(), tmp_path / "b")):
        with pytest.raises(SetupError, match="There is no database in"):
            act()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_bytes(b"This is not a database. " * 500)
    with pytest.raises(SetupError, match="is damaged"):
        check_database(make())
