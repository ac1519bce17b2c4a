"""How something that is done to the models stands, and what came of it, as cards. Facts in, `Reply` out; pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.admin.chores import Chore
from bot.discord_ui.cards import ACCENT, BAR, FAILURE_ACCENT
from bot.discord_ui.markup import code, counted, mention, plain, shorten
from bot.discord_ui.reply import Button, Part, Reply, Row, Text
from bot.downloads.adding import Added
from inference.api.tools import Checked, Finding, Made

MIB: Final = 1 << 20
GIB: Final = 1 << 30
WORDS: Final = 3500
"""Characters of a card's list; Discord takes 4,000 in all."""
LISTED: Final = 20
"""Findings on one card."""


def running_card(chore: Chore) -> Reply:
    """Where it stands, with 🛑."""
    return Reply(parts=(Text(f"{chore.title}\n{_standing(chore)}"), Row((_stop(chore),))), accent=ACCENT)


def jobs_card(running: Sequence[Chore]) -> Reply:
    """All that runs, each with a way to end it."""
    if not running:
        return Reply(parts=(Text("### Models\nNothing is being done to the models."),), accent=ACCENT)
    parts: list[Part] = [Text("### Models")]
    for chore in running:
        text = f"**{chore.number}.** {chore.title} for {mention(chore.person)}\n{_standing(chore)}"
        parts += [Text(text), Row((_stop(chore, label=f"Cancel {chore.number}"),))]
    return Reply(parts=tuple(parts), accent=ACCENT)


def made_card(chore: Chore, made: Made) -> Reply:
    """What a conversion or a merge made."""
    names = ", ".join(code(Path(path).name) for path in made.paths)
    notes = [f"-# {plain(note)}" for note in made.notes]
    lines = [f"✅ {chore.title}", f"{names}, {made.bytes / MIB:,.1f} MiB in all.", *notes]
    return _done(lines)


def added_card(chore: Chore, added: Added) -> Reply:
    """What was added."""
    renamed = " Another file had its name, so it got a number." if added.renamed else ""
    folder = code(f"models/{added.path.parent.name}")
    lines = [
        f"✅ {chore.title}",
        f"{code(added.path.name)} is {plain(added.label)}, {added.bytes / MIB:,.1f} MiB, in {folder}.{renamed}",
        f"-# sha256 {code(added.sha256)}",
    ]
    return _done(lines)


def checked_card(checked: Checked, findings: Sequence[Finding]) -> Reply:
    """What a check found."""
    read = f"{counted(checked.files, 'file')} with {checked.bytes / GIB:,.2f} GiB"
    if not findings:
        return _done([f"✅ {read}: all of them are whole."])
    lines = [f"### {read}: {counted(len(findings), 'finding')}"]
    for finding in findings[:LISTED]:
        lines += [f"{'🚫' if finding.grave else '⚠️'} {plain(finding.sentence)}", f"-# {plain(finding.advice)}"]
    if len(findings) > LISTED:
        lines.append(f"… and {len(findings) - LISTED} more; `python run.py models check` shows all of them.")
    return Reply(parts=(Text(shorten("\n".join(lines), limit=WORDS)),), accent=FAILURE_ACCENT)


def failed_card(chore: Chore, sentence: str) -> Reply:
    """It came to nothing, and why."""
    return Reply(parts=(Text(f"{chore.title}\n{plain(sentence, limit=1500)}"),), accent=FAILURE_ACCENT)


def stopped_card(chore: Chore, *, kept: bool) -> Reply:
    """Somebody ended it. `kept`: what was downloaded may be gone on with."""
    left = (
        "What arrived is kept for a week where the server allows it; adding it again goes on there."
        if kept
        else "Nothing of it is left."
    )
    return Reply(parts=(Text(f"🛑 {chore.title}\nCancelled. {left}"),), accent=ACCENT)


def _done(lines: Sequence[str]) -> Reply:
    return Reply(parts=(Text(shorten("\n".join(lines), limit=WORDS)),), accent=ACCENT)


def _standing(chore: Chore) -> str:
    if not chore.total:
        arrived = f" · {chore.done / MIB:,.1f} MiB" if chore.done else ""
        return f"{chore.stage.capitalize()}…{arrived}"
    share = min(chore.done, chore.total) / chore.total
    filled = int(share * BAR)
    bar = f"`{'█' * filled}{'░' * (BAR - filled)}`"
    return f"{chore.stage.capitalize()} {bar} **{int(share * 100)} %** · {chore.done / MIB:,.1f} of {chore.total / MIB:,.1f} MiB"


def _stop(chore: Chore, label: str = "Cancel") -> Button:
    return Button(custom_id=Ticket(Action.CHORE_STOP, chore.number).custom_id, label=label, emoji="🛑")
