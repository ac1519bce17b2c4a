"""Looking after a database from outside, while Easel runs or not: a backup, and a thorough look.

Owns what needs no open `Database`: it takes no lock and changes nothing. Everything here blocks.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from storage.database import FILE
from storage.errors import DatabaseUnavailable, Missing, unavailable
from storage.pictures import hashes_below


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found. `problems` are SQLite's own words, none where all is well.

    `missing` pictures have a row and no file; `unused` files have no row that refers to them.
    """

    jobs: int
    images: int
    missing: int
    unused: int
    problems: tuple[str, ...]


def back_up(folder: Path, target: Path) -> int:
    """Copy the database in `folder` to the new file `target`, as of one moment. Returns its size in bytes.

    Picture files are not in it: they never change once written, so copying `pictures` afterwards makes it whole. Raises
    Missing where there is no database, DatabaseUnavailable where `target` exists or cannot be written.
    """
    if target.exists():
        raise DatabaseUnavailable(f"{target} exists already. Choose another name for the backup.")
    part = target.with_name(f"{target.name}.part")
    try:
        with closing(_read(folder)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise unavailable(error, target.parent) or error from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def examine(folder: Path) -> Health:
    """Check every page and reference of the database in `folder`, and its pictures against their rows.

    Raises Missing where there is no database, DatabaseUnavailable where it cannot be read at all.
    """
    try:
        with closing(_read(folder)) as connection:
            problems = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
            problems += [
                f"row {row} of {table} refers to a row of {parent} that is not there"
                for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ]
            jobs, images = connection.execute(
                "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM images)"
            ).fetchone()
            shown = {sha256 for (sha256,) in connection.execute("SELECT DISTINCT sha256 FROM images")}
            begun: set[str] = set()
            for table, column in (("job_sources", "sha256"), ("series_sources", "sha256"), ("benches", "picture")):
                # a file of an earlier revision lacks some; it is looked at all the same
                if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                    begun |= {sha256 for (sha256,) in connection.execute(f"SELECT DISTINCT {column} FROM {table}")}  # noqa: S608 - the names above
    except sqlite3.Error as error:
        raise unavailable(error, folder) or error from error
    kept = hashes_below(folder / "pictures")
    return Health(
        jobs=jobs,
        images=images,
        missing=len(shown - kept),
        unused=len(kept - shown - begun),
        problems=tuple(problems),
    )


def _read(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    if not path.exists():
        raise Missing(
            "database", str(path), sentence=f"There is no database in {folder} yet; Easel makes one when it starts."
        )
    connection = sqlite3.connect(path, timeout=5)
    connection.execute("PRAGMA query_only = ON")
    return connection
