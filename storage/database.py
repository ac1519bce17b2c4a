"""The whole memory of Easel behind one door.

Owns opening and closing, in order: the folder's lock, the schema, the connections, what a crash left to do. What there is to
ask lives in the attributes.
"""

import asyncio
from pathlib import Path
from typing import Final, Self

from storage.benches import Benches
from storage.collections import Collections
from storage.connections import Connections
from storage.discards import Discards
from storage.errors import unavailable
from storage.gallery import Gallery
from storage.guilds import Guilds
from storage.images import Images
from storage.jobs import Jobs
from storage.lock import FolderLock
from storage.palettes import Palettes
from storage.people import People
from storage.pictures import PictureStore
from storage.posts import Posts
from storage.reports import Reports
from storage.schema import prepare_file
from storage.seeds import Seeds
from storage.series import SeriesStore
from storage.showcase import Showcase
from storage.statistics import Figures
from storage.styles import Styles

FILE: Final = "easel.sqlite3"
LOCK: Final = "easel.lock"


class Database:
    """An open database; get one from `open`, and `close` it."""

    def __init__(self, lock: FolderLock, connections: Connections, pictures: PictureStore) -> None:
        self._lock = lock
        self._connections = connections
        self._discards = Discards(connections, pictures)
        self.pictures = pictures
        self.jobs = Jobs(connections, pictures, self._discards)
        self.posts = Posts(connections)
        self.images = Images(connections, pictures, self._discards)
        self.gallery = Gallery(connections)
        self.collections = Collections(connections)
        self.showcase = Showcase(connections)
        self.series = SeriesStore(connections, pictures, self._discards)
        self.benches = Benches(connections, pictures, self._discards)
        self.people = People(connections, self._discards)
        self.styles = Styles(connections)
        self.seeds = Seeds(connections)
        self.palettes = Palettes(connections)
        self.guilds = Guilds(connections)
        self.reports = Reports(connections)
        self.figures = Figures(connections)

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Open the database in `folder`, which is made if need be, at the newest revision.

        Raises DatabaseUnavailable with a sentence for the operator: another process uses it, it is damaged, of another program
        or written by a newer Easel, or the disk is full or may not be written.
        """
        lock = await asyncio.to_thread(_lock, folder)
        connections = Connections(folder / FILE)
        try:
            pictures = PictureStore(folder / "pictures")
            await asyncio.to_thread(prepare_file, folder / FILE)
            await asyncio.to_thread(pictures.prepare)
            database = cls(lock, connections, pictures)
            await database._discards.clear()
            await database.gallery.tidy()
        except BaseException:
            await connections.close()
            lock.release()
            raise
        connections.start()
        return database

    async def close(self) -> None:
        """Finish what was handed in, close every connection and let others have the folder. Safe to call twice."""
        await self._connections.close()
        self._lock.release()


def _lock(folder: Path) -> FolderLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unavailable(error, folder) or error from error
    return FolderLock.acquire(folder / LOCK)
