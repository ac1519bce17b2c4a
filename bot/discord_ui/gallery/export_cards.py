"""How an export stands, as a card with a way to stop it. Facts in, `Reply` out; pure."""

from typing import Literal

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.markup import counted
from bot.discord_ui.reply import Button, Reply, Row, Text

BAR = 12
"""Cells of the progress bar."""
Stage = Literal["packing", "done", "stopped", "failed"]


class ExportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An export of `person`: `done` of `total` pictures are packed, `sent` of `zips` are there; `lost` files were gone."""

    person: int
    total: int
    zips: int
    done: int = 0
    sent: int = 0
    lost: int = 0
    stage: Stage = "packing"


def export_card(facts: ExportFacts) -> Reply:
    """Where it stands."""
    lost = f"\n-# {counted(facts.lost, 'picture')} could not be found any more" if facts.lost else ""
    words = {"packing": _packing, "done": _done, "stopped": _stopped, "failed": _failed}[facts.stage](facts)
    stop = Button(custom_id=Ticket(Action.EXPORT_STOP, facts.person).custom_id, label="Cancel", emoji="🛑")
    row = (Row((stop,)),) if facts.stage == "packing" else ()
    return Reply(parts=(Text(f"{words}{lost}"), *row), accent=ACCENT)


def _packing(facts: ExportFacts) -> str:
    share = facts.done / facts.total if facts.total else 0.0
    filled = int(share * BAR)
    bar = f"`{'█' * filled}{'░' * (BAR - filled)}`"
    return (
        f"📦 Packing {counted(facts.total, 'picture')} into {counted(facts.zips, 'zip')}\n"
        f"{bar} **{int(share * 100)} %** · {facts.sent} of {facts.zips} sent"
    )


def _done(facts: ExportFacts) -> str:
    return (
        f"📦 {counted(facts.total - facts.lost, 'picture')} in {counted(facts.sent, 'zip')}. "
        "Each file has its job and seed in its name, and its parameters inside."
    )


def _stopped(facts: ExportFacts) -> str:
    return f"🛑 Stopped. {facts.sent} of {counted(facts.zips, 'zip')} had been sent."


def _failed(facts: ExportFacts) -> str:
    return f"📦 Discord took {facts.sent} of {counted(facts.zips, 'zip')}. Try again later, or with fewer pictures."
