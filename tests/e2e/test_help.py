"""/help over sockets: for the person alone, in a server and in direct messages, by select and page by page."""

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Exchange, Json, Person
from tests.e2e.easel import Studio, button_of, parts_of, words_of


async def turned(person: Person, card: Json, press: Exchange) -> Json:
    """The same message after `press`, as `person` sees it."""
    await press.answered()
    now = person.message(card)
    assert now is not None
    return now


async def test_help_by_topic_and_page(quick: Studio, ada: Person, ben: Person) -> None:
    """A topic is an option or a line of the menu; its pages turn in place; nobody else sees any of it."""
    card = await (await ben.slash("help", "#paint")).answered()
    assert "Getting started" in words_of(card)
    assert "/imagine" in words_of(card)
    assert ada.message(card) is None
    (menu,) = (part["custom_id"] for part in parts_of(card) if part["type"] == 3)
    chosen = await turned(ben, card, await ben.select(card, menu, ["plots"]))
    assert "/plot" in words_of(chosen)
    onward = [part["custom_id"] for part in parts_of(chosen) if part["type"] == 2 and part["label"] == "Next"]
    second = await turned(ben, chosen, await ben.click(chosen, onward[0]))
    assert "Page 2 of" in words_of(second)
    named = await (await ben.slash("help", "#paint", topic="admin")).answered()
    assert "/admin show" in words_of(named)
    assert button_of(named, Action.HELP)


async def test_help_in_direct_messages(quick: Studio, ben: Person) -> None:
    """It answers in a direct message as it does in a channel."""
    card = await (await ben.slash("help", ben.open_dm(), topic="prompts")).answered()
    assert "`{a|b}`" in words_of(card)
