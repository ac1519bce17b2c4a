"""The cards of a series: the question, how far it has come, and what came of it. Facts in, `Reply` out; pure.

Owns the words and the order of a card. Refuses to know where the facts come from.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, BAR
from bot.discord_ui.markup import ago, code, counted, mention, plain, shorten
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Part, Picture, Reply, Row, Text

PAGE: Final = 25
"""Cells on one page of the menu; Discord takes no more."""
TITLE: Final = 300
NAMED: Final = 8
"""Failed cells that a card names."""
LINE: Final = 90
HEADINGS: Final = {"plot": "X/Y/Z plot", "matrix": "Prompt matrix", "lines": "Prompts from a file"}
GONE: Final = "That is over or was replaced by a newer one. Ask again if you still want it."


class SeriesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A series before its end. `words` are lines about its axes; `done` of `cells` cells have ended, `failed` of them badly.

    `cost` in seconds of painting, `ready_at` in seconds since 1970. `private`: it is shown in direct messages.
    """

    series: int
    kind: str
    title: str
    words: tuple[str, ...]
    cells: int
    cost: float
    grids: int = 1
    done: int = 0
    failed: int = 0
    ready_at: float | None = None
    stopping: bool = False
    private: bool = False


class Named(msgspec.Struct, frozen=True):
    """A cell by its number in the order of painting, and what it is called; `reason` where it failed."""

    ordinal: int
    label: str
    reason: str = ""


def question_card(facts: SeriesFacts) -> Reply:
    """What it would be and what it would cost, with a yes and a no. Nothing is painted before the yes."""
    pictures = counted(facts.cells, "cell")
    grids = f" in {facts.grids} grids" if facts.grids > 1 else ""
    where = "\n-# It is shown in your direct messages." if facts.private else ""
    words = f"**{pictures}**{grids} · about **{_seconds(facts.cost)}** of painting{where}"
    go = Button(
        custom_id=Ticket(Action.SERIES_GO, facts.series).custom_id,
        label=f"Paint {pictures}",
        emoji="🖌️",
        style="primary",
    )
    no = Button(custom_id=Ticket(Action.SERIES_NO, facts.series).custom_id, label="Cancel")
    return Reply(parts=(*_heading(facts), Text(words), Row((go, no))), accent=ACCENT)


def progress_card(facts: SeriesFacts, *, previews: Sequence[Attachment] = ()) -> Reply:
    """How far it has come, with the grid as it stands, and a way to stop what is left."""
    share = facts.done / max(1, facts.cells)
    filled = int(share * BAR)
    failed = f" · {facts.failed} failed" if facts.failed else ""
    ready = f" · ready {ago(facts.ready_at)}" if facts.ready_at is not None and not facts.stopping else ""
    stage = "Stopping" if facts.stopping else "Painting"
    bar = f"{stage} `{'█' * filled}{'░' * (BAR - filled)}` **{facts.done}** of {facts.cells}{failed}{ready}"
    parts: list[Part] = [*_heading(facts), Text(bar)]
    if previews:
        parts.append(Gallery(tuple(Picture(each.name, each.description) for each in previews)))
    if not facts.stopping:
        stop = Button(
            custom_id=Ticket(Action.SERIES_STOP, facts.series).custom_id, label="Stop what is left", emoji="🛑"
        )
        parts.append(Row((stop,)))
    return Reply(parts=tuple(parts), files=tuple(previews), accent=ACCENT)


def series_lines(facts: SeriesFacts) -> tuple[Part, ...]:
    """A series in a list of what somebody has open: how far it is, and a way to stop it."""
    kind = HEADINGS.get(facts.kind, "Series")
    line = f"{kind} · **{facts.done}** of {facts.cells} · {plain(facts.title, limit=120) or 'without words'}"
    if facts.stopping:
        return (Text(line),)
    stop = Ticket(Action.SERIES_STOP, facts.series).custom_id
    return (Text(line), Row((Button(custom_id=stop, label=f"Stop series {facts.series}", emoji="🛑"),)))


def dropped_card(title: str) -> Reply:
    """The answer was no."""
    return Reply(parts=(Text(f"🛑 Not painted: {plain(title, limit=TITLE) or 'without words'}"),))


def moved_card(link: str) -> Reply:
    """A private series goes on in direct messages."""
    return Reply(parts=(Text(f"It is being painted: [in your direct messages]({link})."),), accent=ACCENT)


class ResultFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A series that ended. `painted` can be opened, `failed` are named, in reading order; `left` never began.

    `seconds` is what it took of the machine.
    """

    series: int
    person: int
    kind: str
    title: str
    words: tuple[str, ...]
    painted: tuple[Named, ...]
    failed: tuple[Named, ...] = ()
    left: int = 0
    seconds: float = 0.0


def result_card(facts: ResultFacts, grids: Sequence[Attachment]) -> Reply:
    """The grids for who asked, who alone is pinged; a menu that opens each cell as a picture of its own."""
    took = f" · {facts.seconds:.1f}\N{NO-BREAK SPACE}s" if facts.seconds else ""
    head = f"**{plain(facts.title, limit=TITLE) or 'Without words'}** for {mention(facts.person)}"
    about = f"-# {HEADINGS.get(facts.kind, 'Series')} · {counted(len(facts.painted), 'picture')}{took}"
    parts: list[Part] = [Text("\n".join([head, about, *(_line(word) for word in facts.words)]))]
    if grids:
        parts.append(Gallery(tuple(Picture(each.name, each.description) for each in grids)))
    parts += [Text(words) for words in _missing(facts)]
    parts += _menu_rows(facts.series, facts.painted)
    delete = Button(custom_id=Ticket(Action.SERIES_DELETE, facts.series).custom_id, emoji="🗑️")
    parts.append(Row((delete,)))
    return Reply(parts=tuple(parts), files=tuple(grids), pings=(facts.person,), accent=ACCENT)


def more_card(grids: Sequence[Attachment]) -> Reply:
    """Grids that did not fit on the card."""
    shown = tuple(Picture(each.name, each.description) for each in grids)
    return Reply(parts=(Gallery(shown),), files=tuple(grids), accent=ACCENT)


def menu_card(series: int, painted: Sequence[Named], *, page: int) -> Reply:
    """A page of the menu for one person alone, with two buttons to turn it."""
    pages = _pages(painted)
    page = min(max(0, page), pages - 1)
    turns = ((page - 1, "◀", "b"), (page + 1, "▶", "f"))
    buttons = tuple(
        Button(
            custom_id=Ticket(Action.SERIES_PAGE, series, f"{way}{min(max(0, to), pages - 1)}").custom_id,
            emoji=sign,
            disabled=not 0 <= to < pages,
        )
        for to, sign, way in turns
    )
    rows = (Row((_menu(series, painted, page=page),)), Row(buttons)) if painted else ()
    return Reply(parts=(Text("Open a picture of the grid:"), *rows), accent=ACCENT)


def _menu_rows(series: int, painted: Sequence[Named]) -> tuple[Row, ...]:
    """The first page of the menu, and, where there are more cells, the way to the others."""
    if not painted:
        return ()
    menu = Row((_menu(series, painted, page=0),))
    if _pages(painted) == 1:
        return (menu,)
    more = Button(
        custom_id=Ticket(Action.SERIES_PAGE, series, "m1").custom_id,
        label=f"The other {len(painted) - PAGE}",
        emoji="▶",
    )
    return (menu, Row((more,)))


def _menu(series: int, painted: Sequence[Named], *, page: int) -> Menu:
    shown = painted[page * PAGE : (page + 1) * PAGE]
    place = f" ({page * PAGE + 1} to {page * PAGE + len(shown)} of {len(painted)})" if _pages(painted) > 1 else ""
    return Menu(
        custom_id=Ticket(Action.SERIES_CELL, series, str(page)).custom_id,
        choices=tuple(Choice(shorten(each.label, limit=100) or "A picture", str(each.ordinal)) for each in shown),
        placeholder=f"Open a picture{place}",
    )


def _pages(painted: Sequence[Named]) -> int:
    return max(1, -(-len(painted) // PAGE))


def _heading(facts: SeriesFacts) -> tuple[Part, ...]:
    kind = HEADINGS.get(facts.kind, "Series")
    lines = [f"### {kind}: {plain(facts.title, limit=TITLE) or 'without words'}", *(_line(w) for w in facts.words)]
    return (Text("\n".join(lines)),)


def _line(word: str) -> str:
    return f"-# {plain(word, limit=200)}"


def _missing(facts: ResultFacts) -> list[str]:
    """What is blank on the grid, and why."""
    lines: list[str] = []
    if facts.failed:
        named = [
            f"- {code(each.label or 'A picture', limit=LINE)}: {plain(each.reason, limit=LINE)}"
            for each in facts.failed[:NAMED]
        ]
        more = len(facts.failed) - NAMED
        lines.append(
            "\n".join(["Blank, because they failed:", *named, *([f"- … and {more} more"] if more > 0 else [])])
        )
    if facts.left:
        lines.append(
            f"-# {counted(facts.left, 'cell')} not painted: it was stopped. They do not count against your limits."
        )
    return lines


def _seconds(cost: float) -> str:
    seconds = max(1, round(cost))
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} min ({seconds:,} s)"
