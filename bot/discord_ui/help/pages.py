"""A topic's card: its paragraphs, then its commands with their options, on as many pages as that takes. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.help.reference import Entry, Option
from bot.discord_ui.help.topics import Topic, belonging, says, topic_named, worth_showing
from bot.discord_ui.reply import Button, Choice, Menu, Part, Reply, Row, Rule, Text

ROOM: Final = 1_800
"""Characters on a page; Discord takes 4,000 on a card."""


def help_card(topic: str, entries: Sequence[Entry], *, page: int = 1) -> Reply:
    """A page (from 1; one beyond the ends is the nearest) of the topic with this id; the first topic for an unknown id."""
    chosen = topic_named(topic)
    pages = list(_pages(_paragraphs(chosen, entries)))
    page = max(1, min(page, len(pages)))
    heading = f"## {chosen.emoji} {chosen.label}"
    parts: list[Part] = [Text(heading), Text("\n\n".join(pages[page - 1])), Rule(), Row((_menu(chosen, entries),))]
    if len(pages) > 1:
        parts += [Text(f"-# Page {page} of {len(pages)}"), Row(_turning(chosen, page, len(pages)))]
    return Reply(parts=tuple(parts), accent=ACCENT)


def _paragraphs(topic: Topic, entries: Sequence[Entry]) -> Iterator[str]:
    yield from topic.words
    for entry in belonging(topic, entries):
        yield "\n".join((f"**{entry.written}** {says(entry)}", *map(_option, entry.options)))


def _option(option: Option) -> str:
    told = " (needed)" if option.required else ""
    return f"-# `{option.name}`{told} {option.help}"


def _pages(paragraphs: Iterator[str]) -> Iterator[list[str]]:
    """As many whole paragraphs on each as there is room for; there is one page at least."""
    page, room = list[str](), ROOM
    for paragraph in paragraphs:
        if page and room < len(paragraph):
            yield page
            page, room = [], ROOM
        page.append(paragraph[:ROOM])
        room -= len(paragraph)
    yield page


def _menu(chosen: Topic, entries: Sequence[Entry]) -> Menu:
    choices = tuple(
        Choice(topic.label, topic.id, emoji=topic.emoji, chosen=topic is chosen) for topic in worth_showing(entries)
    )
    return Menu(custom_id=Ticket(Action.HELP, 0).custom_id, choices=choices, placeholder="Choose a topic")


def _turning(topic: Topic, page: int, count: int) -> tuple[Button, ...]:
    return tuple(
        Button(
            custom_id=Ticket(Action.HELP, there, topic.id).custom_id,
            label=label,
            emoji=emoji,
            disabled=not 1 <= there <= count,
        )
        for there, label, emoji in ((page - 1, "Back", "◀️"), (page + 1, "Next", "▶️"))
    )
