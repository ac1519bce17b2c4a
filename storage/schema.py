"""Bringing the database file to the newest revision, and refusing one that is damaged, foreign or from the future.

Owns what happens before the first connection of `storage.connections`. Everything here blocks; it runs in a thread.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine, NullPool, create_engine

from storage.connections import PRAGMAS, prepare_engine, worded
from storage.errors import DatabaseUnavailable, unavailable
from storage.tables import REVISIONS, metadata

MIGRATIONS: Final = Path(__file__).resolve().parent / "migrations"
NOTHING: Final = ""
"""Stands for the revision of a file without any table."""


def prepare_file(path: Path, *, patience: float = 5.0) -> None:
    """Make the file or bring it to the newest revision. Raises DatabaseUnavailable with a sentence for the operator.

    `patience` is how many seconds it waits for another program that holds the file. An upgrade is one transaction: a
    process that is killed in it leaves the file as it was.
    """
    try:
        revision = _inspect(path, patience)
    except sqlite3.Error as error:
        raise unavailable(error, path.parent) or error from error
    if revision == NOTHING:
        create(path)
    elif revision != REVISIONS[-1]:
        upgrade(path)


def _inspect(path: Path, patience: float) -> str | None:
    """The file's revision, `NOTHING` for an empty one, None where Alembic has only begun. Switches the write-ahead log on."""
    with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise DatabaseUnavailable(f"{path} is a database of another program. Move it away; Easel makes its own.")
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone() if tables else None
        revision: str | None = found[0] if found else None
        if revision is not None and revision not in REVISIONS:
            raise DatabaseUnavailable(
                f"{path} was written by a newer Easel (revision {revision}). Update Easel, or put back the backup "
                "from before the update."
            )
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise damaged()
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise DatabaseUnavailable(
                f"{path.parent} cannot hold a write-ahead log, as on a network drive. Choose a folder on this "
                "machine's own disk: [paths] data in config.toml."
            )
        # a folder that can be read and not written shows itself here, and not at somebody's first job
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    return revision if tables else NOTHING


def damaged() -> sqlite3.DatabaseError:
    """What SQLite itself raises where it comes upon a damaged page."""
    error = sqlite3.DatabaseError("quick_check failed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def create(path: Path) -> None:
    """Make all tables as they are today, in one transaction, without Alembic: it would stay in the bot's memory (10 MB).

    That this is what the migrations make, to the letter, is held by a test. Recipe: "Building an Up to Date Database from
    Scratch" in Alembic's documentation.
    """
    engine = _engine(path)
    with worded(path.parent), engine.begin() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version ("
            "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (REVISIONS[-1],))


def upgrade(path: Path, revision: str = "head") -> None:
    """Run the migrations up to `revision`, all of them in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = _engine(path)
    with worded(path.parent), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise damaged()


def _engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    # A table that is made anew is dropped in between; with foreign keys on, that would empty those that refer to it: see
    # "Making Other Kinds Of Table Schema Changes" in SQLite's ALTER TABLE.
    prepare_engine(engine, begin="BEGIN IMMEDIATE", pragmas=(*PRAGMAS, "PRAGMA foreign_keys = OFF"))
    return engine
