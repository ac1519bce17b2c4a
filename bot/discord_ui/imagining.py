"""From what was typed into the prompt of /imagine, or of its form, to the jobs that it asks for, and what was understood.

Owns when a prompt is several jobs (`{a, b}`, --repeat, --all), and that more than four of them are agreed to first, as a
series. Refuses to know how flags and braces are read (`bot.requests`) and how a series is asked for and painted.
"""

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Final

import discord

from bot.discord_ui.answers import answer
from bot.discord_ui.asking import Wish, ask
from bot.discord_ui.cards import note_card
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.markup import plain
from bot.discord_ui.series.offering import Offered, Part, offer
from bot.discord_ui.wishes import typed_whole, wishes_for
from bot.errors import EaselError, LimitReached
from bot.requests.drafts import ImagineDraft, shown
from bot.requests.dynamic import wildcards_in
from bot.requests.orders import Order, read_order
from inference.api.request import GenerationRequest, Request

AT_ONCE: Final = 4
"""Jobs that are queued without asking first."""
_TITLE: Final = 300
_NOTES: Final = 12
"""Phrases of what was understood that are told."""


async def imagine(
    desk: Desk,
    interaction: Asked,
    draft: ImagineDraft,
    *,
    start: discord.Attachment | None = None,
    private: bool = False,
) -> None:
    """Queue what `draft` asks for and answer with its queue cards; ask first where that is more than AT_ONCE jobs.

    Raises RequestRefused and LimitReached with one sentence.
    """
    draft = typed_whole(desk, draft, person=interaction.user.id)
    order = read_order(draft)
    notes: Sequence[str] = order.notes
    if len(order.drafts) > AT_ONCE:
        await offer(
            desk, interaction, _offered(desk, interaction, order, title=draft.prompt, start=start), private=private
        )
    elif len(order.drafts) == 1 and not order.combine:
        job = await ask(desk, interaction, _first(desk, interaction, order, start=start), private=private)
        notes = (*notes, *_unknown(desk, job.request))
    else:
        notes = (*notes, *await _several(desk, interaction, order, title=draft.prompt, start=start, private=private))
    if notes:
        told = " · ".join(plain(note, limit=120) for note in notes[:_NOTES])
        more = f" · and {len(notes) - _NOTES} more" if len(notes) > _NOTES else ""
        await answer(interaction, note_card(f"-# Understood: {told}{more}"))


async def _wishes(desk: Desk, interaction: Asked, order: Order, *, start: discord.Attachment | None) -> list[Wish]:
    """A wish for each job of `order`; nothing is queued before all of them can be."""
    return await wishes_for(
        desk, order.drafts, person=interaction.user.id, guild=interaction.guild_id, start=start, combine=order.combine
    )


async def _first(desk: Desk, interaction: Asked, order: Order, *, start: discord.Attachment | None) -> Wish:
    return (await _wishes(desk, interaction, order, start=start))[0]


async def _ready(wish: Wish) -> Wish:
    return wish


async def _several(
    desk: Desk, interaction: Asked, order: Order, *, title: str, start: discord.Attachment | None, private: bool
) -> list[str]:
    """Two to four jobs, or the combinations of a prompt, of which it shows only now how many there are; what to tell of them."""
    await interaction.response.defer(thinking=True, ephemeral=private)
    wishes = await _wishes(desk, interaction, order, start=start)
    notes = list(dict.fromkeys(note for wish in wishes for note in _unknown(desk, wish.request)))
    if len(wishes) > AT_ONCE:
        await offer(desk, interaction, _ready_offer(wishes, title=title), private=private)
        return notes
    for done, wish in enumerate(wishes):
        try:
            await ask(desk, interaction, _ready(wish), private=private)
        except EaselError as error:
            if not done:
                raise
            raise LimitReached(f"{done} of {len(wishes)} are queued, the others are not. {error.sentence}") from error
    return notes


async def _offered(
    desk: Desk, interaction: Asked, order: Order, *, title: str, start: discord.Attachment | None
) -> Offered:
    return await _ready_offer(await _wishes(desk, interaction, order, start=start), title=title)


async def _ready_offer(wishes: Sequence[Wish], *, title: str) -> Offered:
    parts = tuple(Part(label=shown(_words_of(wish.request) or wish.prompt, limit=100), wish=wish) for wish in wishes)
    return Offered(kind="imagine", title=shown(title, limit=_TITLE), parts=parts)


def _words_of(request: Request) -> str:
    return request.prompt.positive if isinstance(request, GenerationRequest) else ""


def _unknown(desk: Desk, request: Request) -> list[str]:
    """A phrase for each wildcard that there is not: it stays in the prompt as it was typed."""
    if not isinstance(request, GenerationRequest) or request.drawn is None:
        return []
    named = (*wildcards_in(request.drawn.positive), *wildcards_in(request.drawn.negative))
    there = desk.wildcards.names
    missing = [name for name in dict.fromkeys(named) if not any(_means(name, each) for each in there)]
    return [
        f"there is no wildcard “{shown(name)}”, so it is words; /wildcards lists those that there are"
        for name in missing
    ]


def _means(name: str, wildcard: str) -> bool:
    """Whether a prompt's `name` (a pattern, a path or its end) finds `wildcard`, as the library looks for it."""
    return fnmatch(wildcard, name) or fnmatch(wildcard, f"*/{name}")
