"""The board: a queue card for each open job, kept true without bothering Discord.

Owns when a card is edited (on change only, at least `seconds` apart) and when it is taken down. A card that cannot be
edited is given up; the job is not.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import discord

from bot.discord_ui.cards import QueueFacts, queue_card
from bot.discord_ui.posting import places
from bot.discord_ui.reply import Reply
from bot.jobs.dispatcher import Standing
from inference.client.clock import Clock
from storage.values import Address, Job

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Card:
    job: Job
    message: int
    shown: Reply | None = None
    editing: bool = False


class Board:
    """`standing` says where an open job is, None for one that is over. `now` is seconds since 1970."""

    def __init__(
        self,
        client: discord.Client,
        *,
        standing: Callable[[int], Standing | None],
        clock: Clock,
        seconds: float,
        now: Callable[[], float],
    ) -> None:
        self._client, self._standing, self._clock, self._seconds, self._now = client, standing, clock, seconds, now
        self._cards: dict[int, _Card] = {}
        self._task: asyncio.Task[None] | None = None
        self._rounds: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to keep cards up to date."""
        self._task = asyncio.create_task(self._run(), name="board")

    async def stop(self) -> None:
        """Leave the cards as they are."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for each in self._rounds:
            each.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)

    def card_of(self, job: Job) -> Reply:
        """The queue card of `job` as it is now."""
        standing = self._standing(job.id)
        if standing is None:
            return queue_card(QueueFacts(job=job.id, prompt=job.prompt, position=0, cost=job.cost))
        return queue_card(
            QueueFacts(
                job=job.id,
                prompt=job.prompt,
                position=standing.position,
                slow=standing.job.slow,
                held=standing.held,
                ready_at=standing.ready_at,
                cost=job.cost,
                done=standing.done,
                total=standing.total,
                stage=standing.stage,
                preview=standing.preview or b"",
            )
        )

    async def hang(self, job: Job, message: int, *, shown: Reply | None = None) -> None:
        """Keep `message`, the queue card of `job`, true; one whose job is over meanwhile is taken down at once.

        `shown` is what it says now, where that is known: it is not edited to say the same. Message 0 is the interaction's first
        answer: all that is known of a card when a crash came before its id was written down.
        """
        self._cards[job.id] = _Card(job, message, shown)
        if self._standing(job.id) is None:
            await self.take_down(job.id, job.address, message)

    async def take_down(self, job: int, address: Address, message: int, *, instead: Reply | None = None) -> None:
        """Remove a job's card, or leave `instead` in its place. One that is gone already is nobody's loss."""
        card = self._cards.pop(job, None)
        message = message or (card.message if card else 0)
        try:
            if instead is not None:
                await places.change(self._client, address, message, instead, now=self._now())
            else:
                await places.take_away(self._client, address, message, now=self._now())
        except (discord.HTTPException, *places.PASSING) as error:
            log.info("The queue card of job %d could not be taken down: %s", job, error)

    async def refresh(self) -> None:
        """Edit every card whose words or preview have changed."""
        await asyncio.gather(*(self._refresh(card) for card in list(self._cards.values())))

    async def _refresh(self, card: _Card) -> None:
        if card.editing or self._standing(card.job.id) is None:
            return  # an earlier round is at it, or its end is on the way
        wanted = self.card_of(card.job)
        if wanted == card.shown:
            return
        card.editing = True
        try:
            await places.change(self._client, card.job.address, card.message, wanted, now=self._now())
            card.shown = wanted
        except places.SHUT:
            self._cards.pop(card.job.id, None)
        except (discord.HTTPException, *places.PASSING) as error:
            log.info("The queue card of job %d could not be edited: %s", card.job.id, error)
        finally:
            card.editing = False

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._seconds)
            # not waited for: a card that Discord is slow about holds up itself and no other
            task = asyncio.create_task(self._round(), name="queue cards")
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)

    async def _round(self) -> None:
        try:
            await self.refresh()
        except Exception:
            log.exception("The queue cards could not be brought up to date")
