"""`python run.py doctor`: the machine, the painter, the settings, the database and the token, and what to do about each.

Owns the order and the look of the report; what is looked at lives in `bot.commands.checks`.
"""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from bot.commands.checks.account import account_findings
from bot.commands.checks.choices import choice_findings
from bot.commands.checks.finding import Finding, Level
from bot.commands.checks.machine import machine_findings
from bot.commands.checks.memory import memory_findings
from bot.commands.checks.painter import ask_painter, painter_findings, unused_card_findings
from bot.settings import Settings

STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.FAULT: "bold red"}
WIDTHS = 7, 13
"""Columns of the first two words of a line."""


async def examine(settings: Settings) -> int:
    """Look at everything and print a line about each. Returns 0 when Easel can paint and answer, else 1."""
    console = Console(highlight=False, soft_wrap=True)
    found: list[Finding] = []

    def tell(findings: Iterable[Finding]) -> None:
        for finding in findings:
            found.append(finding)
            console.print(line_of(finding))

    about_machine, cards = await machine_findings(settings)
    tell(about_machine)
    ready, trouble = await ask_painter(settings)
    tell(painter_findings(ready, trouble, settings=settings))
    tell(unused_card_findings(ready, cards, settings=settings))
    if ready is not None:
        tell(choice_findings(settings, ready))
    tell(await memory_findings(settings))
    tell(await account_findings(settings))
    console.print(verdict(found))
    return int(any(finding.level is Level.FAULT for finding in found))


def line_of(finding: Finding) -> Text:
    """A finding as it is printed: level, topic, what was found, and below it what to do."""
    level, topic = WIDTHS
    line = Text.assemble((finding.level.ljust(level), STYLES[finding.level]), finding.topic.ljust(topic), finding.found)
    if finding.advice:
        line.append(f"\n{' ' * (level + topic)}{finding.advice}", "bold")
    return line


def verdict(findings: Iterable[Finding]) -> str:
    """The last line: whether Easel can work like this."""
    levels = [finding.level for finding in findings]
    if faults := levels.count(Level.FAULT):
        return f"Easel cannot work like this: mend the {faults} marked “fault”, then run this again."
    if notes := levels.count(Level.NOTE):
        return f"Easel can paint and answer; {notes} marked “note” would do it good."
    return "Easel can paint and answer."
