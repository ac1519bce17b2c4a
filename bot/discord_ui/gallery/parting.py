"""The cards of being forgotten: what would go, and what went. Facts in, `Reply` out; pure.

Owns their words: they promise what storage does, and say what it cannot do.
"""

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, FAILURE_ACCENT
from bot.discord_ui.markup import counted
from bot.discord_ui.reply import Button, Reply, Row, Rule, Text

STAYS = "Messages that were posted stay where they are, and their buttons will say that the picture is gone."


class Belongings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is remembered of `person`, counted. `jobs` are those that wait or are being painted."""

    person: int
    pictures: int
    starred: int
    styles: int
    seeds: int
    jobs: int
    collections: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to forget."""
        return not (self.pictures or self.starred or self.styles or self.seeds or self.jobs or self.collections)


def forget_card(facts: Belongings) -> Reply:
    """What would be removed, and the button that does it."""
    words = (
        "### Forget me\n"
        "This removes for good, from the database and from the disk:\n"
        f"- {counted(facts.pictures, 'picture')} of yours, with prompts and parameters, and the jobs that made them\n"
        f"- {counted(facts.starred, 'star')}, {counted(facts.styles, 'saved style')}, "
        f"{counted(facts.seeds, 'saved seed')}, {counted(facts.collections, 'collection')}, what you looked for, "
        "and what you have set\n"
        f"- {counted(facts.jobs, 'unfinished job')}, which will be cancelled"
    )
    forget = Button(
        custom_id=Ticket(Action.FORGET, facts.person).custom_id, label="Forget me", emoji="🗑️", style="danger"
    )
    keep = Button(custom_id=Ticket(Action.HOME, facts.person).custom_id, label="Keep everything")
    return Reply(parts=(Text(words), Rule(), Text(f"-# {STAYS}"), Row((forget, keep))), accent=FAILURE_ACCENT)


def nothing_card() -> Reply:
    """The answer to somebody of whom nothing is remembered."""
    return Reply(parts=(Text("There is nothing of yours here: no pictures, styles, seeds or jobs."),), accent=ACCENT)


def forgotten_card(pictures: int) -> Reply:
    """What went; `pictures` were removed."""
    words = f"You are forgotten: {counted(pictures, 'picture')} removed, and everything else that was yours here."
    return Reply(parts=(Text(f"{words}\n-# {STAYS}"),), accent=ACCENT)
