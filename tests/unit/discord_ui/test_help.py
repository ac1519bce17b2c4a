"""/help is made from the commands themselves: nothing is missing, nothing is too long for Discord."""

from typing import Any

import discord
import pytest
from discord import app_commands

from bot.discord_ui import view
from bot.discord_ui.help.pages import ROOM, help_card
from bot.discord_ui.help.reference import entries
from bot.discord_ui.help.topics import MENUS, TOPICS, belonging, says, worth_showing
from bot.discord_ui.reply import Button, Menu, Reply, Row, Text
from tools.commands_page import all_entries

ENTRIES = all_entries()


def words(reply: Reply) -> str:
    """All text of a card."""
    return "\n".join(part.markdown for part in reply.parts if isinstance(part, Text))


def controls(reply: Reply) -> list[Any]:
    """All buttons and menus of a card."""
    return [item for part in reply.parts if isinstance(part, Row) for item in part.items]


def whole(topic: str) -> list[Reply]:
    """All pages of a topic."""
    pages = [help_card(topic, ENTRIES)]
    while turning := [each for each in controls(pages[-1]) if isinstance(each, Button)]:
        if turning[-1].disabled:
            break
        pages.append(help_card(topic, ENTRIES, page=len(pages) + 1))
    return pages


def test_every_command_belongs_to_one_topic() -> None:
    """Each command of the tree, and of the Apps menu, stands under exactly one topic, with its options and a sentence."""
    found = [entry for topic in worth_showing(ENTRIES) for entry in belonging(topic, ENTRIES)]
    assert sorted(entry.name for entry in found) == sorted(entry.name for entry in ENTRIES)
    assert all(says(entry) for entry in ENTRIES)
    assert all(option.help not in ("", "…") for entry in ENTRIES for option in entry.options)
    assert {entry.name for entry in ENTRIES if entry.kind == "menu"} <= MENUS.keys()


def test_topics_name_commands_that_are_there() -> None:
    """A topic's table of commands has no name that nothing is called by."""
    known = {entry.top for entry in ENTRIES}
    assert {name for topic in TOPICS for name in topic.commands} <= known


@pytest.mark.parametrize("topic", [topic.id for topic in TOPICS])
async def test_every_page_fits_discord(topic: str) -> None:
    """Each page of each topic is a card that Discord takes, and each command of the topic stands on one of them."""
    pages = whole(topic)
    for page in pages:
        view.layout(page)
        assert len(words(page)) < ROOM + 500
        (menu,) = (each for each in controls(page) if isinstance(each, Menu))
        assert len(menu.choices) <= 25
    said = "\n".join(map(words, pages))
    chosen = next(row for row in TOPICS if row.id == topic)
    for entry in belonging(chosen, ENTRIES):
        assert f"**{entry.written}**" in said
        assert all(f"`{option.name}`" in said for option in entry.options)


def test_pages_beyond_the_ends_are_the_nearest() -> None:
    """A button of last year may name a topic or a page that is no more: there is always something to read."""
    last = len(whole("plots"))
    assert last > 1
    assert help_card("plots", ENTRIES, page=99) == help_card("plots", ENTRIES, page=last)
    assert help_card("plots", ENTRIES, page=0) == help_card("plots", ENTRIES)
    assert help_card("nothing", ENTRIES) == help_card(TOPICS[0].id, ENTRIES)


def test_a_command_that_no_topic_names_stands_under_more() -> None:
    """A new command is in the help as soon as it is on the tree."""
    tree = app_commands.CommandTree[Any](discord.Client(intents=discord.Intents.none()))

    @tree.command(name="newcomer", description="Something new")
    @app_commands.describe(size="How large")
    async def newcomer(interaction: discord.Interaction[Any], size: app_commands.Range[int, 1, 9]) -> None:
        """Never called."""

    (entry,) = entries(tree)
    assert belonging(TOPICS[-1], (entry,)) == (entry,)
    card = words(help_card("more", (entry,)))
    assert "**/newcomer** Something new" in card
    assert "`size` (needed) How large" in card
    assert entry.options[0].takes == "a whole number from 1 to 9"
