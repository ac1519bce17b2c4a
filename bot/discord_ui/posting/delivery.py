"""Delivery: what came of a job reaches the person, once, however long it took and whatever closed meanwhile.

Owns the order of places, the look for a message that may have been sent already, and trying again. It is the dispatcher's
listener: what it has marked in storage is done; what it has not is told to it again after a restart.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import discord

from bot.discord_ui.cards import (
    ResultFacts,
    ShownPicture,
    cancelled_card,
    closed_card,
    failure_card,
    result_card,
    unshown_card,
)
from bot.discord_ui.posting import places
from bot.discord_ui.posting.board import Board
from bot.discord_ui.posting.finding import find_card
from bot.discord_ui.posting.nonces import nonce_of
from bot.discord_ui.reply import Reply
from bot.discord_ui.shown import controls_in, link_to, shown_maps, shown_picture
from bot.discord_ui.view import files, layout, pings
from bot.errors import EaselError, NotFound
from bot.jobs.failures import PICTURES_GONE
from bot.requests.edit import differences
from inference.api.request import GenerationRequest
from inference.client.clock import Clock
from storage.database import Database
from storage.errors import DatabaseUnavailable, Missing, RequestUnreadable, WrongState
from storage.values import Image, Job, JobState, Post, Unreadable

log = logging.getLogger(__name__)

PAUSES: Final = (2.0, 10.0, 60.0, 300.0)
"""Seconds before each further try while Discord does not answer; the last is repeated."""
_RESULT, _NOTE = 0, 1
"""Numbers of a job's posts."""
_HOOK: Final = 0
"""Stands for the interaction in the place of a channel's id."""
_REFUSED: Final = "Discord did not take the message with your pictures. They are in your gallery: /gallery open."

Owed = Job | Unreadable
"""What somebody has to be told about."""
Settle = Callable[[int, int], Awaitable[None]]
"""Marks in storage that a post is done: message and channel."""


class Delivery:
    """`client` must be logging in; `ready` is awaited before anything is posted. `now` is seconds since 1970."""

    def __init__(
        self,
        client: discord.Client,
        *,
        db: Database,
        board: Board,
        clock: Clock,
        now: Callable[[], float],
    ) -> None:
        self._client, self._db, self._board, self._clock, self._now = client, db, board, clock, now
        self.ready = asyncio.Event()
        self.cells: Callable[[Job], Awaitable[None]] | None = None
        """Told of the jobs that are cells of a series, which shows them."""
        self.may_post: places.MayPost | None = None
        """Asked where pictures may be shown; where nobody is, everywhere."""
        self._closing = asyncio.Event()

    async def stop(self) -> None:
        """End what waits for Discord to come back; it is told again at the next start."""
        self._closing.set()

    def progressed(self, job_id: int) -> None:
        """Nothing: the board looks by itself, at its own pace."""

    async def rendered(self, job: Job, images: tuple[Image, ...]) -> None:
        """Post the pictures, then take the queue card down."""
        if job.series is not None and self.cells is not None:
            await self.cells(job)
            return

        async def settle(message: int, channel: int) -> None:
            await self._db.jobs.deliver(job.id, message=message, channel=channel, now=self._now())

        await self._until_done(job, lambda: self._result(job, images), settle)
        await self._board.take_down(job.id, job.address, job.card_message)

    async def failed(self, job: Job) -> None:
        """Say why there is no picture, and offer another try, for which what was asked must be kept."""
        if job.series is not None and self.cells is not None:
            await self.cells(job)
            return
        person = await self._db.people.get(job.address.person)
        await self._tell(job, sentence=job.reason, retry=person.history)
        await self._board.take_down(job.id, job.address, job.card_message)

    async def unreadable(self, lost: Unreadable) -> None:
        """Say that a job of an earlier Easel cannot be painted any more; another try would read it no better."""
        await self._tell(lost, sentence=lost.sentence, retry=False)
        await self._board.take_down(lost.id, lost.address, lost.address.card_message)

    async def cancelled(self, job: Job) -> None:
        """Leave a word where the queue card was."""
        if job.series is not None and self.cells is not None:
            await self.cells(job)
            return
        if await self._ends_before(self.ready.wait()):
            return
        await self._board.take_down(job.id, job.address, job.card_message, instead=cancelled_card(job.prompt))
        with contextlib.suppress(Missing):  # whoever asked to be forgotten took the row with them
            await self._db.jobs.mark_told(job.id)

    async def _ends_before(self, waiting: Coroutine[Any, Any, object]) -> bool:
        """Wait for `waiting`; True when the end of Easel comes first."""
        first = asyncio.ensure_future(waiting)
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({first, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            first.cancel()
            closing.cancel()
        return self._closing.is_set()

    async def _tell(self, owed: Owed, *, sentence: str, retry: bool) -> None:
        async def settle(message: int, channel: int) -> None:
            del channel
            await self._db.jobs.mark_told(owed.id, message=message)

        async def words() -> Reply:
            return failure_card(
                job=owed.id, person=owed.address.person, prompt=owed.prompt, sentence=sentence, retry=retry
            )

        await self._until_done(owed, words, settle)

    async def _give_up(self, owed: Owed, error: Exception) -> None:
        """A message that can never be sent: pictures that are left stay in the gallery, and words take their place."""
        try:
            if owed.state is JobState.RENDERED:
                reason = error.sentence if isinstance(error, EaselError) else _REFUSED
                await self._db.jobs.fail(owed.id, reason=reason, now=self._now())
                await self._tell(owed, sentence=reason, retry=True)
            else:
                await self._db.jobs.mark_told(owed.id)
        except (WrongState, Missing):
            log.info("Job %d was deleted while it was being given up", owed.id)

    # -- one post -----------------------------------------------------------------------------------------------------

    async def _until_done(self, job: Owed, make: Callable[[], Awaitable[Reply]], settle: Settle) -> None:
        """Try until the post is made or there is no place for it; a job that ended meanwhile is left alone."""
        if await self._ends_before(self.ready.wait()):
            return
        tries = 0
        while True:
            try:
                message, channel = await self._post(job, await make())
                await settle(message, channel)
                return
            except (WrongState, Missing):
                log.info("Job %d was cancelled or deleted while it was being posted", job.id)
                return
            except DatabaseUnavailable:
                raise  # told again when it is back; a message that is there is found then
            except Exception as error:
                if not places.passes(error):
                    log.exception("The message of job %d cannot be sent", job.id)
                    await self._give_up(job, error)
                    return
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                log.warning("Job %d could not be posted (%s); another try in %.0f s", job.id, error, pause)
                tries += 1
                if await self._ends_before(self._clock.sleep(pause)):
                    return

    async def _post(self, job: Owed, reply: Reply) -> tuple[int, int]:
        """Post in the first place that is open; (0, 0) where none is. The pictures are in the gallery all the same."""
        routes = (
            (self._directly, self._by_hook)
            if job.address.private
            else (self._in_channel, self._directly, self._by_hook)
        )
        unshown = False
        for route in routes:
            if not await self._may_show(job, directly=job.address.private or route == self._directly):
                unshown = True
                continue
            try:
                made = await route(job, reply)
            except places.SHUT as error:
                log.info("Job %d: %s is shut (%s)", job.id, route.__name__.strip("_"), error)
                continue
            if made is not None:
                return made
        if unshown:
            await self._say(job, unshown_card(job.address.person))
        elif job.address.private:
            await self._say(job, closed_card(job.address.person, painted=job.state is JobState.RENDERED))
        return 0, 0

    async def _may_show(self, job: Owed, *, directly: bool) -> bool:
        """Words may be said anywhere; pictures where those for adults are allowed, if they are."""
        if not isinstance(job, Job) or job.state is not JobState.RENDERED or self.may_post is None:
            return True
        return await self.may_post((job.request,), job.address, directly=directly)

    async def _in_channel(self, job: Owed, reply: Reply) -> tuple[int, int]:
        reference = await self._parent_there(job) if isinstance(job, Job) else None
        return await self._once(job, job.address.channel, reply, reference=reference)

    async def _directly(self, job: Owed, reply: Reply) -> tuple[int, int]:
        return await self._once(job, await places.conversation(self._client, job.address.person), reply)

    async def _by_hook(self, job: Owed, reply: Reply) -> tuple[int, int] | None:
        """As a further answer of the interaction. It takes no nonce and cannot be looked for, so it is tried at most once:

        marked before it is sent.
        """
        hook = places.hook_of(self._client, job.address, now=self._now())
        earlier = await self._earlier(job, _HOOK)
        if earlier is not None:
            return earlier.message, job.address.channel
        if hook is None:
            return None
        post = await self._db.posts.begin(job.id, channel=_HOOK, now=self._now())
        try:
            made = await hook.send(
                view=layout(reply),
                files=files(reply),
                allowed_mentions=pings(reply),
                ephemeral=job.address.private,
                wait=True,
            )
        except discord.HTTPException as error:
            if error.status == 401:  # the token died earlier than was said
                return None
            raise
        await self._db.posts.sent(post.id, message=made.id, now=self._now())
        return made.id, job.address.channel

    async def _say(self, job: Owed, card: Reply) -> None:
        """In the channel, without the picture: what became of it."""
        try:
            await places.post(self._client, job.address.channel, card, nonce=nonce_of(job.id, post=_NOTE))
        except places.SHUT:
            log.info("Job %d: nowhere to say that it is done", job.id)

    async def _once(self, job: Owed, channel: int, reply: Reply, *, reference: int | None = None) -> tuple[int, int]:
        """Post in `channel` unless an earlier try, before a crash or a lost answer, made the message already."""
        earlier = await self._earlier(job, channel)
        if earlier is not None and earlier.tried is not None:
            since = dt.datetime.fromtimestamp(earlier.tried, dt.UTC)
            found = await find_card(self._client, channel, reply, since=since)
            if found is not None:
                return found, channel
        post: Post = await self._db.posts.begin(job.id, channel=channel, now=self._now())
        if post.state == "sent":
            return post.message, channel
        message = await places.post(
            self._client, channel, reply, nonce=nonce_of(job.id, post=_RESULT), reference=reference
        )
        await self._db.posts.sent(post.id, message=message.id, now=self._now())
        return message.id, channel

    async def _earlier(self, job: Owed, channel: int) -> Post | None:
        posts = await self._db.posts.of_job(job.id)
        return next((post for post in posts if post.channel == channel and post.tried is not None), None)

    # -- what is posted -----------------------------------------------------------------------------------------------

    async def _result(self, job: Job, images: tuple[Image, ...]) -> Reply:
        shown: list[ShownPicture] = []
        for image in images:
            with contextlib.suppress(NotFound):  # deleted since it was painted
                shown.append(await shown_picture(self._db, image))
        if not shown:
            raise NotFound(PICTURES_GONE)
        return result_card(
            ResultFacts(
                job=job.id,
                person=job.address.person,
                prompt=job.prompt,
                model=images[0].model,
                pictures=tuple(shown),
                seconds=job.seconds,
                parent=await self._parent_link(job),
                changed=await self._changed(job, images[0]),
                notes=job.notes,
                controlled=bool(controls_in(images[0])),
                maps=await shown_maps(self._db, images[0]),
            )
        )

    async def _changed(self, job: Job, image: Image) -> tuple[str, ...]:
        """In what an edited picture differs from the one that it came from."""
        parent = await self._parent(job) if job.kind == "edit" else None
        if parent is None or not isinstance(parent.request, GenerationRequest):
            return ()
        if not isinstance(image.request, GenerationRequest):
            return ()
        return differences(parent.request, image.request) or ("nothing",)

    async def _parent(self, job: Job) -> Image | None:
        with contextlib.suppress(RequestUnreadable):  # an old picture must not hold up a new one
            return None if job.parent is None else await self._db.images.get(job.parent)
        return None

    async def _parent_there(self, job: Job) -> int | None:
        parent = await self._parent(job)
        return parent.message if parent is not None and parent.message_channel == job.address.channel else None

    async def _parent_link(self, job: Job) -> str:
        parent = await self._parent(job)
        return "" if parent is None else link_to(parent)
