"""The cards of a picker: a page of files with their pictures, and one file opened. Facts in, `Reply` out; pure.

Owns their words, also where a shelf is empty. Refuses to know where the facts come from.
"""

from typing import Final

import msgspec

from bot.discord_ui.cards import ACCENT
from bot.discord_ui.markup import code, counted, plain, shorten
from bot.discord_ui.pickers.choosing import ALL, FAMILIES, FIT
from bot.discord_ui.pickers.spots import Shelf, Spot, Verb
from bot.discord_ui.reply import Attachment, Button, Choice, Gallery, Menu, Part, Picture, Reply, Row, Style, Text
from inference.api.result import ModelFile

PAGE: Final = 9
"""Files on a page: what one contact sheet holds."""
_FAMILY_LABELS: Final = FAMILIES | {"unknown": "any family"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file on a page: `number` from 1 on its shelf; `weight` is how strong it is worn, None where it is not taken; `mine` is
    the model that paints where nothing is said."""

    key: str
    number: int
    info: ModelFile
    weight: float | None = None
    mine: bool = False


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A page. `total` counts what is shown, `all` what is there; `sheet` shows `entries` as WebP; `fits` names the checkpoint
    that LoRAs are looked at for; `picks` is the list of what was taken; `note` is a sentence of ours (markdown)."""

    person: int
    shelf: Shelf
    page: int
    pages: int
    total: int
    all: int
    entries: tuple[Entry, ...]
    sheet: bytes = b""
    family: str = FIT
    words: str = ""
    fits: str = ""
    picks: str = ""
    note: str = ""


class OpenedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One file from a page. `picture` is WebP, empty where there is none; `painting`: its sample is on its way; `worn_by` names
    the checkpoint that would wear it, `fitting` says whether it can."""

    person: int
    shelf: Shelf
    page: int
    entry: Entry
    picture: bytes = b""
    painting: bool = False
    worn_by: str = ""
    fitting: bool = True
    note: str = ""


def page_card(facts: PageFacts) -> Reply:
    """Nine files with their pictures and numbers, menus to filter, take and open, and the way to the pages beside it."""
    parts: list[Part] = [Text(_header(facts))]
    files: tuple[Attachment, ...] = ()
    if facts.all:
        parts.append(Row((_families(facts),)))
    if facts.entries:
        name, alt = f"{facts.shelf.value}-{facts.page}.webp", _alt(facts)
        parts.insert(1, Gallery((Picture(name, alt),)))
        files = (Attachment(name, facts.sheet, alt),)
        if facts.shelf is Shelf.LORAS:
            parts.append(Row((_picks(facts),)))
        parts.append(Row((_opening(facts),)))
    parts.append(Row(_ways(facts)))
    if facts.picks:
        parts.append(Row(_with_picks(facts)))
    return Reply(parts=tuple(parts), files=files, accent=ACCENT)


def opened_card(facts: OpenedFacts) -> Reply:
    """One file: its picture, what it is for, and what can be done with it."""
    parts: list[Part] = [Text(_about(facts))]
    files: tuple[Attachment, ...] = ()
    if facts.picture:
        name, alt = "sample.webp", f"A sample of {shorten(facts.entry.info.name, limit=200)}"
        parts.append(Gallery((Picture(name, alt),)))
        files = (Attachment(name, facts.picture, alt),)
    back = _button(facts, Verb.PAGE, label="Back", emoji="↩️", key="")
    return Reply(parts=(*parts, Row((*_deeds(facts), back))), files=files, accent=ACCENT)


def _header(facts: PageFacts) -> str:
    noun = f"{facts.shelf.noun}s"
    title = f"### {noun[0].upper()}{noun[1:]}"
    note = f"-# {facts.note}\n" if facts.note else ""
    if not facts.all:
        return (
            f"{note}{title}\nThere is none yet. The operator puts .safetensors files into `{facts.shelf.folder}` "
            "(a picture and notes beside them, if they like); then press 🔄. Nothing needs to be started anew."
        )
    place = f" · page {facts.page} of {facts.pages}" if facts.pages > 1 else ""
    told = [f"{counted(facts.total, facts.shelf.noun)} of {facts.all:,}{_filter(facts)}"]
    if not facts.total:
        told.append("Nothing is left: choose another family in the menu, or press 🔎 for other words.")
    if facts.picks:
        told.append(f"Taken: {plain(facts.picks, limit=500)}")
    return "\n".join((f"{note}{title}{place}", *(_line(entry) for entry in facts.entries), *(f"-# {t}" for t in told)))


def _filter(facts: PageFacts) -> str:
    words = f" · with {code(facts.words, limit=60)}" if facts.words else ""
    if facts.family == FIT:
        fits = f" · what fits {code(facts.fits, limit=60)}" if facts.shelf is Shelf.LORAS and facts.fits else ""
        return fits + words
    return (f" · {FAMILIES[facts.family]}" if facts.family in FAMILIES else "") + words


def _line(entry: Entry) -> str:
    info = entry.info
    taken = f" ✅ {entry.weight:g}" if entry.weight is not None else ""
    mine = " ⭐ yours" if entry.mine else ""
    family = _FAMILY_LABELS.get(info.family, info.family)
    words = f" · {code(', '.join(info.triggers), limit=60)}" if info.triggers else ""
    return f"**{entry.number}.** {plain(info.name, limit=70)} · {family}{words}{taken}{mine}"


def _families(facts: PageFacts) -> Menu:
    first = "Every model"
    if facts.shelf is Shelf.LORAS:
        first = f"What fits {shorten(facts.fits, limit=80)}" if facts.fits else "What fits my model"
    rows = [(FIT or "fit", first), *FAMILIES.items()]
    if facts.shelf is Shelf.LORAS:
        rows.append((ALL, "Every LoRA"))
    choices = tuple(Choice(label, value, chosen=value == (facts.family or "fit")) for value, label in rows)
    return Menu(custom_id=_id(facts, Verb.FAMILY), choices=choices, placeholder="Family")


def _picks(facts: PageFacts) -> Menu:
    choices = tuple(
        Choice(
            shorten(f"{entry.number}. {entry.info.name}", limit=100),
            entry.key,
            shorten(", ".join(entry.info.triggers), limit=100),
            chosen=entry.weight is not None,
        )
        for entry in facts.entries
    )
    return Menu(
        custom_id=_id(facts, Verb.PICK),
        choices=choices,
        placeholder="Take LoRAs of this page",
        least=0,
        most=len(choices),
    )


def _opening(facts: PageFacts) -> Menu:
    choices = tuple(
        Choice(shorten(f"{entry.number}. {entry.info.name}", limit=100), entry.key) for entry in facts.entries
    )
    return Menu(custom_id=_id(facts, Verb.OPEN), choices=choices, placeholder="Open one by its number")


def _ways(facts: PageFacts) -> tuple[Button, ...]:
    turning = (
        _way(facts, Verb.PAGE, emoji="◀️", page=facts.page - 1, off=facts.page <= 1),
        _way(facts, Verb.PAGE, emoji="▶️", page=facts.page + 1, off=facts.page >= facts.pages),
    )
    return (
        *(turning if facts.pages > 1 else ()),
        _way(facts, Verb.FIND, label="Find", emoji="🔎"),
        _way(facts, Verb.REFRESH, label="Look again", emoji="🔄"),
    )


def _with_picks(facts: PageFacts) -> tuple[Button, ...]:
    return (
        _way(facts, Verb.PAINT, label="Paint with these", emoji="🎨", look="primary"),
        _way(facts, Verb.WEIGHTS, label="Weights", emoji="⚖️"),
        _way(facts, Verb.CLEAR, label="Take none", emoji="✖️"),
    )


def _about(facts: OpenedFacts) -> str:
    info = facts.entry.info
    size = f" · {info.bytes / 2**20:,.0f} MiB" if info.bytes else ""
    digits = f" · {code(info.hash)}" if info.hash else ""
    lines = [f"-# {facts.note}"] if facts.note else []
    lines += [f"### {plain(info.name, limit=120)}", f"-# {_FAMILY_LABELS.get(info.family, info.family)}{size}{digits}"]
    if facts.entry.mine:
        lines.append("⭐ This is what paints for you where you name no model.")
    if facts.entry.weight is not None:
        lines.append(f"✅ Taken, at {facts.entry.weight:g}")
    if not facts.fitting:
        lines.append(f"It does not fit {code(facts.worn_by, limit=60)}, which is of another family.")
    if info.triggers:
        lines.append(f"**Words that call it forth** {code(', '.join(info.triggers), limit=500)}")
    if info.negative:
        lines.append(f"**Keep out** {code(info.negative, limit=300)}")
    if info.weight:
        lines.append(f"**Weight** {info.weight:g}")
    if info.tags:
        lines.append(f"**Seen most in training** {plain(', '.join(info.tags), limit=400)}")
    if info.notes:
        lines.append(plain(info.notes, limit=600))
    if facts.painting:
        lines.append("-# Its sample is being painted; open it again in a moment.")
    return "\n".join(lines)


def _deeds(facts: OpenedFacts) -> tuple[Button, ...]:
    sampling = _button(facts, Verb.SAMPLE, label="Paint a sample", emoji="🖼️")
    sample = () if facts.picture or facts.painting or not facts.fitting else (sampling,)
    if facts.shelf is Shelf.LORAS:
        taken = facts.entry.weight is not None
        take = _button(
            facts,
            Verb.LEAVE if taken else Verb.TAKE,
            label="Leave it" if taken else "Take it",
            emoji="✖️" if taken else "➕",
        )
        return (take, *sample)
    mine = facts.entry.mine
    return (
        _button(
            facts, Verb.UNMINE if mine else Verb.MINE, label="Not mine any more" if mine else "Paint with it by default"
        ),
        _button(facts, Verb.PAINT, label="Paint with it", emoji="🎨"),
        _button(facts, Verb.FITS, label="Its LoRAs", emoji="🧵"),
        *sample,
    )


def _alt(facts: PageFacts) -> str:
    shown = "; ".join(f"{entry.number}: {shorten(entry.info.name, limit=80)}" for entry in facts.entries)
    return f"Samples by number. {shown}"


def _id(facts: PageFacts, verb: Verb) -> str:
    return Spot(facts.shelf, verb, facts.page).ticket(facts.person).custom_id


def _way(
    facts: PageFacts,
    verb: Verb,
    *,
    label: str = "",
    emoji: str = "",
    page: int | None = None,
    look: Style = "secondary",
    off: bool = False,
) -> Button:
    spot = Spot(facts.shelf, verb, facts.page if page is None else page)
    return Button(custom_id=spot.ticket(facts.person).custom_id, label=label, emoji=emoji, style=look, disabled=off)


def _button(facts: OpenedFacts, verb: Verb, *, label: str, emoji: str = "", key: str | None = None) -> Button:
    spot = Spot(facts.shelf, verb, facts.page, facts.entry.key if key is None else key)
    return Button(custom_id=spot.ticket(facts.person).custom_id, label=label, emoji=emoji)
