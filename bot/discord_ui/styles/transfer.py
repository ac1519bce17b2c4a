"""Styles from and to a `styles.csv` of the webui.

Owns what a file may be (size, encoding, header) and what becomes of each of its rows. Pure: files are bytes.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from bot.discord_ui.cards import ACCENT
from bot.discord_ui.commands.saved import read_name
from bot.discord_ui.markup import counted, plain
from bot.discord_ui.reply import Reply, Text
from bot.discord_ui.styles.keeping import MOST
from bot.errors import RequestRefused
from bot.requests.style_settings import check_style
from inference.api import styles as files
from storage.values import Style, StyleSettings, StyleText

FILE: Final = "styles.csv"
BYTES: Final = 2**20
"""Of a file that is read; the webui's largest collections have a tenth of it."""
ROWS: Final = 2000
TOLD: Final = 10
"""Rows that are told by name, of those that were left out."""
_NO_TABLE: Final = (
    "That file is no table of styles: its first line must be name,prompt,negative_prompt, as in the webui's styles.csv."
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import does: `new` and `changed` are saved, `same` are here already, `left_out` are names with the reason."""

    new: tuple[StyleText, ...] = ()
    changed: tuple[StyleText, ...] = ()
    same: int = 0
    left_out: tuple[tuple[str, str], ...] = ()


def check_size(size: int) -> None:
    """Before a byte of it is fetched. Raises RequestRefused."""
    if size > BYTES:
        raise RequestRefused(
            f"That file has {size / 2**20:,.1f} MiB; a styles.csv of at most {BYTES // 2**20} MiB can be read."
        )


def read_file(data: bytes) -> tuple[files.Style, ...]:
    """The rows of a styles.csv. Raises RequestRefused for what is none; blocking, for its size is a stranger's choice."""
    check_size(len(data))
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestRefused("That file is not a text in UTF-8; save it as such and send it again.") from error
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True), list[str]())
        if "name" not in header or not {"prompt", "text", "negative_prompt"} & set(header):
            raise RequestRefused(_NO_TABLE)
        rows = files.read_styles(text)
    except csv.Error as error:
        raise RequestRefused(
            f"That file cannot be read as a table ({error}); save it as CSV and send it again."
        ) from error
    if not rows:
        raise RequestRefused("That file holds no styles: there is no line under its header.")
    if len(rows) > ROWS:
        raise RequestRefused(f"That file holds {len(rows):,} styles; send at most {ROWS:,} at once.")
    return rows


def plan_import(rows: Iterable[files.Style], own: Sequence[Style]) -> Plan:
    """What becomes of each row. A style that is here keeps what it sets besides words; what is refused is told."""
    here = {style.name.casefold(): style for style in own}
    new: list[StyleText] = []
    changed: list[StyleText] = []
    left_out: list[tuple[str, str]] = []
    same = 0
    for row in rows:
        try:
            name = read_name(row.name)
            old = here.get(name.casefold())
            sets = StyleSettings() if old is None else old.settings
            text = check_style(StyleText(name=name, prompt=row.prompt, negative=row.negative, settings=sets))
        except RequestRefused as error:
            left_out.append((row.name, error.sentence))
            continue
        if old is not None and (old.prompt, old.negative) == (text.prompt, text.negative):
            same += 1
        elif old is not None:
            changed.append(text)
        elif len(here) + len(new) >= MOST:
            left_out.append((row.name, f"{MOST} styles are the most that one person may keep."))
        else:
            new.append(text)
    return Plan(new=tuple(new), changed=tuple(changed), same=same, left_out=tuple(left_out))


def write_file(styles: Iterable[Style]) -> bytes:
    """A styles.csv as the webui reads it."""
    rows = (files.Style(style.name, style.prompt, style.negative) for style in styles)
    return files.write_styles(rows).encode("utf-8-sig")


def imported_card(plan: Plan) -> Reply:
    """What an import came to."""
    facts = [
        f"{counted(len(plan.new), 'style')} new" if plan.new else "",
        f"{len(plan.changed)} as the next version of one of yours" if plan.changed else "",
        f"{plan.same} here already, word for word" if plan.same else "",
    ]
    lines = ["### Imported", " · ".join(fact for fact in facts if fact) or "Nothing was kept."]
    lines += [
        f"- **{plain(name, limit=60)}** was left out: {plain(why, limit=200)}" for name, why in plan.left_out[:TOLD]
    ]
    if len(plan.left_out) > TOLD:
        lines.append(f"-# and {len(plan.left_out) - TOLD:,} more were left out")
    return Reply(parts=(Text("\n".join(lines)),), accent=ACCENT)


def exported_words(styles: Sequence[Style]) -> str:
    """What goes with the file."""
    carrying = sum(style.settings != StyleSettings() for style in styles)
    hidden = sum(style.name.startswith("#") for style in styles)
    words = f"{counted(len(styles), 'style')}, as the webui reads them."
    if carrying:
        words += f" The file has words only: what {carrying} of them set besides stays here."
    if hidden:
        words += f" The webui leaves out names with # in front; {hidden} of these have one."
    return words
