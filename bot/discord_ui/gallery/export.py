"""Exports: pictures packed into zips and sent to the one who asked, while others go on.

Owns that each ends with a card that says how. What was running when Easel ended is gone; its card's button says so. Refuses
to know what is exported.
"""

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Sequence
from typing import IO, Any, Final

import discord
import msgspec

from bot.discord_ui import view
from bot.discord_ui.answers import answer
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.gallery.export_cards import ExportFacts, Stage, export_card
from bot.discord_ui.gallery.packing import add_entry, zip_name
from bot.discord_ui.posting import places
from bot.discord_ui.reply import Reply
from storage.errors import Missing
from storage.gallery_values import Packed

log = logging.getLogger(__name__)

SECONDS: Final = 5.0
"""Between two edits of a card."""
PAUSES: Final = (2.0, 10.0, 30.0)
"""Seconds before each further try of a zip that Discord did not take."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent: pictures by zip, none over `limit` bytes."""

    zips: tuple[tuple[Packed, ...], ...]
    limit: int

    @property
    def pictures(self) -> int:
        """How many there are."""
        return sum(len(each) for each in self.zips)


async def export(desk: Desk, asked: Asked, parcel: Parcel) -> None:
    """Show where it stands and begin. Raises LimitReached while another export of theirs runs."""
    person = asked.user.id
    desk.exports.check(person)
    facts = ExportFacts(person=person, total=parcel.pictures, zips=len(parcel.zips))
    message = await answer(asked, export_card(facts), private=asked.guild_id is not None)
    post = _Post(asked, message)
    desk.exports.begin(person, lambda stop: _Export(desk, post, parcel, facts=facts, stop=stop).run())


class _Post:
    """Where an export's words and zips go: the conversation, or the answers of the interaction for the person alone."""

    def __init__(self, asked: Asked, message: int) -> None:
        self._asked, self._message = asked, message
        self._room = asked.client.get_partial_messageable(asked.channel_id or 0) if asked.guild_id is None else None

    async def change(self, reply: Reply) -> None:
        """Put `reply` in the place of the card."""
        if self._room is not None:
            await self._room.get_partial_message(self._message).edit(view=view.layout(reply))
        else:
            await self._asked.followup.edit_message(self._message, view=view.layout(reply))

    async def send(self, file: IO[bytes], name: str, *, nonce: str) -> None:
        """Send one zip."""
        file.seek(0)
        whole: Any = file  # a file like any other, whatever the platform makes of it
        attached = discord.File(whole, name)
        if self._room is not None:
            await self._room.send(file=attached, nonce=nonce)
        else:
            await self._asked.followup.send(file=attached, ephemeral=True, wait=True)

    @property
    def id(self) -> int:
        """The interaction's, for nonces."""
        return self._asked.id


class _Export:
    """One export while it runs."""

    def __init__(self, desk: Desk, post: _Post, parcel: Parcel, *, facts: ExportFacts, stop: asyncio.Event) -> None:
        self._desk, self._post, self._parcel, self._facts, self._stop = desk, post, parcel, facts, stop
        self._edited = desk.now()

    async def run(self) -> None:
        """Pack and send until all is there, somebody stops it, or Discord takes nothing more."""
        stage: Stage = "failed"
        try:
            stage = "done" if await self._all() else "stopped"
        except (discord.HTTPException, *places.PASSING) as error:
            log.info("An export of person %d was not taken: %s", self._facts.person, error)
        except Exception:
            log.exception("An export of person %d failed", self._facts.person)
        await self._show(stage=stage, always=True)

    async def _all(self) -> bool:
        for number, pictures in enumerate(self._parcel.zips, 1):
            with tempfile.TemporaryFile() as file:
                if not (await self._pack(file, pictures) and await self._deliver(file, number)):
                    return False
            await self._show(sent=number, always=True)
        return True

    async def _pack(self, file: IO[bytes], pictures: Sequence[Packed]) -> bool:
        """Fill one zip; False when it was stopped meanwhile."""
        for picture in pictures:
            if self._stop.is_set():
                return False
            try:
                png = await self._desk.db.pictures.get(picture.sha256)
            except Missing:
                await self._show(done=self._facts.done + 1, lost=self._facts.lost + 1)
                continue
            await asyncio.to_thread(add_entry, file, picture, png, limit=self._parcel.limit)
            await self._show(done=self._facts.done + 1)
        return not self._stop.is_set()

    async def _deliver(self, file: IO[bytes], number: int) -> bool:
        """Send a zip that has something in it, trying again where Discord does not answer; False when it was stopped."""
        if not file.tell():
            return True
        name = zip_name(number, len(self._parcel.zips))
        for pause in (*PAUSES, None):
            try:
                await self._post.send(file, name, nonce=f"{self._post.id}-{number}"[-25:])
                return True
            except Exception as error:
                if pause is None or not places.passes(error):
                    raise
                log.warning("A zip could not be sent (%s); another try in %.0f s", error, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
                return False
        return False

    async def _show(self, *, always: bool = False, **changes: Any) -> None:
        """Change the card: at once, or when the last edit is a while ago. One that cannot be changed is nobody's loss."""
        self._facts = msgspec.structs.replace(self._facts, **changes)
        if not always and self._desk.now() - self._edited < SECONDS:
            return
        self._edited = self._desk.now()
        try:
            await self._post.change(export_card(self._facts))
        except (discord.HTTPException, *places.PASSING) as error:
            log.info("The card of an export could not be changed: %s", error)
