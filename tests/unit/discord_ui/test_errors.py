"""Errors in words, and posts that are known again."""

import logging

import discord
import pytest
from discord import app_commands

from bot.discord_ui import cards, view
from bot.discord_ui.error_replies import OUTDATED, RESTING, UNFORESEEN, UNWRITTEN, sentence_of
from bot.discord_ui.posting.nonces import custom_ids, is_card_of, nonce_of
from bot.errors import LimitReached, NotFound
from inference.api.backend import BackendUnavailable
from inference.api.errors import RequestInvalid
from storage.errors import DatabaseUnavailable


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (LimitReached("Five at a time."), "Five at a time."),
        (NotFound("That picture is gone."), "That picture is gone."),
        (RequestInvalid("Steps must be between 1 and 150, not 0."), "Steps must be between 1 and 150, not 0."),
        (BackendUnavailable("exit status 1"), RESTING),
        (DatabaseUnavailable("The disk that holds /secret is full."), UNWRITTEN),
        (app_commands.CommandNotFound("old", []), OUTDATED),
        (KeyError("secret"), UNFORESEEN),
    ],
)
def test_each_error_has_its_sentence(error: Exception, sentence: str) -> None:
    """Errors of ours speak for themselves, also where discord.py has wrapped them; others show nothing of their inside."""

    async def broken(interaction: discord.Interaction) -> None:
        """Never run."""

    command = app_commands.Command(name="broken", description="It breaks.", callback=broken)
    assert sentence_of(error) == sentence
    assert sentence_of(app_commands.CommandInvokeError(command, error)) == sentence


def test_what_nobody_foresaw_is_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """The operator finds the trace of an error in the log."""
    with caplog.at_level(logging.ERROR):
        sentence_of(ZeroDivisionError("by zero"))
    assert "ZeroDivisionError: by zero" in caplog.text


def test_a_nonce_is_short_and_its_own() -> None:
    """Every post of every job has another nonce of at most 25 characters; what would not fit is refused."""
    nonces = {nonce_of(job, post=post) for job in (1, 11, 10**15) for post in (0, 1)}
    assert len(nonces) == 6
    assert all(len(nonce) <= 25 for nonce in nonces)
    with pytest.raises(ValueError, match="25 characters"):
        nonce_of(10**20)


async def test_a_card_is_known_again_by_its_buttons() -> None:
    """What was sent for one job is recognised in the history, and another job's card is not taken for it."""
    first, other = (
        view.layout(cards.queue_card(cards.QueueFacts(job=job, prompt="x", position=1))).to_components()
        for job in (1, 2)
    )
    assert is_card_of(first, custom_ids(first))
    assert not is_card_of(other, custom_ids(first))
    assert not is_card_of(first, ())
