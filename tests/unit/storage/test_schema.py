"""The migrations make what the tables say, in one piece, and the file's revision is looked at before anything else."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, NullPool, create_engine

from storage.errors import DatabaseUnavailable
from storage.gallery_tables import SHADOWS
from storage.schema import MIGRATIONS, prepare_file, upgrade
from storage.tables import REVISIONS, metadata


def test_migrations_make_the_tables(tmp_path: Path) -> None:
    """A file that was migrated from nothing differs in no table, column, type or index from what the code expects."""
    path = tmp_path / "a.sqlite3"
    upgrade(path)
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name not in SHADOWS}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        assert set(metadata.tables) < {
            name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        }


def test_the_declared_sql_is_the_migrated_sql(tmp_path: Path) -> None:
    """What comparing does not see (partial indexes, what deletion does to references, AUTOINCREMENT) agrees to the letter."""

    def words(sql: str) -> list[str]:
        return sorted(sql.replace(",", " ").replace("(", " ( ").replace(")", " ) ").split())

    declared = create_engine("sqlite://")
    with declared.connect() as connection:
        metadata.create_all(connection)
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"
        expected = {name: words(sql) for name, sql in connection.exec_driver_sql(query)}
    declared.dispose()
    upgrade(tmp_path / "a.sqlite3")
    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as connection:
        assert {name: words(sql) for name, sql in connection.execute(query)} == expected


def test_every_revision_is_known() -> None:
    """The list by which a file is judged without loading Alembic is the list of migrations, in their order."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    walked = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(walked)) == REVISIONS


def test_a_file_of_today_needs_no_alembic(tmp_path: Path) -> None:
    """Neither making a database nor opening one that is up to date loads Alembic: memory and start belong to the bot."""
    code = (
        "import sys; from pathlib import Path; from storage.schema import prepare_file; "
        f"prepare_file(Path({str(tmp_path / 'a.sqlite3')!r})); sys.exit('alembic' in sys.modules)"
    )
    for _ in ("made", "opened"):
        assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_new_file_is_a_migrated_one(tmp_path: Path) -> None:
    """A file that is made at once differs in no letter from one that went through all migrations, and says the same revision."""
    query = "SELECT name, sql FROM sqlite_master WHERE name = 'alembic_version' UNION SELECT version_num, '' FROM alembic_version"
    prepare_file(tmp_path / "new.sqlite3")
    upgrade(tmp_path / "old.sqlite3")
    told = []
    for name in ("new", "old"):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite3")) as connection:
            told.append([("".join(sql.split()), name) for name, sql in connection.execute(query)])
    assert told[0] == told[1]


def test_a_path_with_strange_signs(tmp_path: Path) -> None:
    """Signs that mean something in URLs and in Alembic's settings mean nothing in a folder's name."""
    folder = tmp_path / "50% off ?a=b&c #1 ü"
    folder.mkdir()
    prepare_file(folder / "a.sqlite3")
    prepare_file(folder / "a.sqlite3")
    assert (folder / "a.sqlite3").stat().st_size > 0


def test_a_half_made_file(tmp_path: Path) -> None:
    """A file in which Alembic has begun and committed nothing is made whole."""
    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    prepare_file(tmp_path / "a.sqlite3")
    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('9999');",
            "was written by a newer Easel",
        ),
        ("CREATE TABLE bookmarks (url TEXT);", "is a database of another program"),
    ],
)
def test_files_that_are_not_for_this_easel(tmp_path: Path, statements: str, sentence: str) -> None:
    """A file of a newer Easel or another program is refused in a sentence, and left as it was."""
    with closing(sqlite3.connect(tmp_path / "a.sqlite3")) as connection:
        connection.executescript(statements)
    before = (tmp_path / "a.sqlite3").read_bytes()
    with pytest.raises(DatabaseUnavailable, match=sentence):
        prepare_file(tmp_path / "a.sqlite3")
    assert (tmp_path / "a.sqlite3").read_bytes() == before


def test_a_file_that_another_program_holds(tmp_path: Path) -> None:
    """A database that somebody has open for writing in another program is a sentence and not a long wait."""
    prepare_file(tmp_path / "a.sqlite3")
    with closing(sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="Another program holds the database"):
            prepare_file(tmp_path / "a.sqlite3", patience=0.01)
    prepare_file(tmp_path / "a.sqlite3")
