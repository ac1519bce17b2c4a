"""`python run.py db backup FILE` and `python run.py db check`: looking after the memory, while the bot runs or not."""

from pathlib import Path

from bot.errors import SetupError
from bot.settings import Settings
from storage.errors import StorageError
from storage.upkeep import back_up, examine


def back_up_database(settings: Settings, target: Path) -> int:
    """Copy the database to `target` and say what else belongs to a backup. Returns 0."""
    try:
        size = back_up(settings.data, target)
    except StorageError as error:
        raise SetupError(error.sentence) from error
    print(f"{target} holds the database ({size / 2**20:.1f} MiB).")
    print(f"Copy {settings.data / 'pictures'} too: picture files never change, so any copy made after this one fits.")
    return 0


def check_database(settings: Settings) -> int:
    """Check every page, reference and picture file. Returns 1 where something is wrong."""
    try:
        health = examine(settings.data)
    except StorageError as error:
        raise SetupError(error.sentence) from error
    print(f"{health.jobs:,} jobs and {health.images:,} pictures in {settings.data}.")
    for problem in health.problems:
        print(f"Damaged: {problem}.")
    if health.problems:
        print("Put a backup in its place, or move the folder away to begin anew.")
    if health.missing:
        print(
            f"{health.missing:,} pictures have lost their file. Put the files back from a backup of the pictures folder."
        )
    if health.unused:
        print(f"{health.unused:,} picture files belong to no picture or job; they do no harm.")
    return 1 if health.problems or health.missing else 0
