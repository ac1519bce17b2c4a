"""The grammar of custom_ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_ui.actions import LIMIT, PATTERN, Action, Ticket, read_ticket


@given(
    action=st.sampled_from(Action),
    number=st.integers(0, 2**63),
    argument=st.from_regex(r"[a-zA-Z0-9_.,-]{0,40}", fullmatch=True),
)
def test_a_ticket_comes_back_as_it_was(action: Action, number: int, argument: str) -> None:
    """Every ticket fits into a custom_id, matches the dynamic item's template and reads back equal."""
    ticket = Ticket(action, number, argument)
    assert len(ticket.custom_id) <= LIMIT
    assert PATTERN.fullmatch(ticket.custom_id)
    assert read_ticket(ticket.custom_id) == ticket


@given(st.text())
def test_any_text_is_read_without_an_accident(text: str) -> None:
    """Somebody else's custom_id is no ticket and no exception; what is one says the same again."""
    ticket = read_ticket(text)
    assert ticket is None or read_ticket(ticket.custom_id) == ticket


@pytest.mark.parametrize(
    "text", ["easel:u", "easel:u:", "easel:nope:1", "sd1:u:1", "easel:u:1:", "easel:u:A", "easel:u:1\n"]
)
def test_what_is_almost_a_ticket_is_none(text: str) -> None:
    """A wrong prefix, action, id or ending is not guessed at."""
    assert read_ticket(text) is None


@pytest.mark.parametrize(("number", "argument"), [(-1, ""), (1, "a:b"), (1, "ä"), (1, "x" * 100)])
def test_a_ticket_that_could_not_travel_is_never_made(number: int, argument: str) -> None:
    """A negative id, a separator in the argument or one character too many is an error where it is made."""
    with pytest.raises(ValueError, match=r"ticket|custom_id"):
        Ticket(Action.PAGE, number, argument)
