"""The cards of styles: the list, one style, its versions, and what an import came to. Values in, `Reply` out; pure.

Owns their words and buttons. Refuses to know who may do what: it is told.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, FAILURE_ACCENT
from bot.discord_ui.commands.saved import PAGE, Paged, paged
from bot.discord_ui.markup import ago, code, counted, plain, shorten
from bot.discord_ui.reply import Button, Choice, Menu, Part, Reply, Row, Text
from bot.discord_ui.reply import Style as Look
from bot.requests.style_settings import write_settings
from storage.values import Style

PLACE: Final = "{prompt}"
"""Where the words of a request go in a style's own; without it they come first."""
SHOWN: Final = 60
"""Characters of a style's words in a list, 40 of everything else."""
WHOLE: Final = 1000
"""Characters of each of a style's texts on its card, 500 of what it sets; ✏️ shows all."""
NEW, SHOW, EDIT, VERSIONS, LOOK, RESTORE, SHARE, UNSHARE, DELETE, REALLY = (
    "new",
    "show",
    "edit",
    "versions",
    "look",
    "restore",
    "share",
    "unshare",
    "delete",
    "really",
)
"""What the ticket of a style asks for, as its argument."""
EMPTY: Final = (
    "None yet. `/style save name:ink prompt:{prompt}, ink drawing, thick lines` keeps one, ➕ opens a form for it, and "
    "ℹ️ under any picture makes one of it. `/imagine style:ink` uses it."
)
_FENCE: Final = "```"


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What who looks at a style may do with it: it is theirs; they may share here, or take back what others share here."""

    own: bool
    share: bool = False
    server: bool = True


def list_card(styles: Sequence[Style], *, person: int, page: int = 1, note: str = "") -> Reply:
    """A page of the styles that `person` can use; those of others are marked as the server's."""
    here = paged(styles, page)
    lines = [_line(style, person=person) for style in here.shown]
    parts: list[Part] = [Text(f"-# {note}")] if note else []
    if not here.total:
        parts.append(Text(f"### Styles\n{EMPTY}"))
    else:
        place = f" · page {here.number} of {here.pages}" if here.pages > 1 else ""
        hint = f"-# {counted(here.total, 'style')}. Several at once, in order: `/imagine style: one, another`"
        parts.append(Text("\n".join((f"### Styles{place}", *lines, hint))))
        opened = Ticket(Action.STYLES, person, f"{SHOW}-{here.number}").custom_id
        choices = tuple(Choice(shorten(style.name, limit=100), str(style.id)) for style in here.shown)
        parts.append(Row((Menu(custom_id=opened, choices=choices, placeholder="Open a style"),)))
    fresh = _button(NEW, 0, label="New style", emoji="➕")
    return Reply(parts=(*parts, Row((*_turns(person, here), fresh))), accent=ACCENT)


def _turns(person: int, here: Paged[Style]) -> tuple[Button, ...]:
    """The buttons to the pages beside `here`; none where it is alone."""
    if here.pages == 1:
        return ()
    back = Ticket(Action.STYLES, person, str(here.number - 1)).custom_id
    on = Ticket(Action.STYLES, person, str(here.number + 1)).custom_id
    return (
        Button(custom_id=back, emoji="◀️", disabled=here.number == 1),
        Button(custom_id=on, emoji="▶️", disabled=here.number == here.pages),
    )


def style_card(style: Style, *, person: int, rights: Rights, note: str = "") -> Reply:
    """One style as it is now, and what can be done with it."""
    use = f"-# `/imagine style:` takes the name.{_order(style)}"
    rows = (Row(_deeds(style, rights)),) if rights.own or rights.share else ()
    back = Button(custom_id=Ticket(Action.STYLES, person, "1").custom_id, label="All styles", emoji="↩️")
    noted = (Text(note),) if note else ()
    return Reply(
        parts=(*noted, Text(_heading(style, rights)), *_texts(style), Text(use), *rows, Row((back,))), accent=ACCENT
    )


def version_card(style: Style, *, newest: Style) -> Reply:
    """An older version, and the way back to it."""
    heading = f"### {plain(style.name)} · version {style.version} of {newest.version}\n-# {ago(style.created)}"
    restore = _button(RESTORE, style.id, label=f"Go back to version {style.version}", emoji="↩️", look="primary")
    row = (restore,) if style.id != newest.id else ()
    back = _button(f"{VERSIONS}-1", newest.id, label="All versions", emoji="🕘")
    return Reply(parts=(Text(heading), *_texts(style), Row((*row, back))), accent=ACCENT)


def versions_card(versions: Sequence[Style], *, newest: Style, page: int) -> Reply:
    """A page of a style's versions, newest first; `newest.version` counts them."""
    pages = max(1, -(-newest.version // PAGE))
    lines = [f"- **{style.version}** {ago(style.created)} {_words(style)}" for style in versions]
    place = f" · page {page} of {pages}" if pages > 1 else ""
    choices = tuple(Choice(f"Version {style.version}", str(style.id)) for style in versions)
    menu = Menu(custom_id=_id(LOOK, newest.id), choices=choices, placeholder="Look at a version")
    turning = (
        _button(f"{VERSIONS}-{page - 1}", newest.id, emoji="◀️", off=page <= 1),
        _button(f"{VERSIONS}-{page + 1}", newest.id, emoji="▶️", off=page >= pages),
    )
    back = _button(SHOW, newest.id, label=shorten(newest.name, limit=60), emoji="↩️")
    return Reply(
        parts=(
            Text("\n".join((f"### {plain(newest.name)}: {counted(newest.version, 'version')}{place}", *lines))),
            Row((menu,)),
            Row((*(turning if pages > 1 else ()), back)),
        ),
        accent=ACCENT,
    )


def sure_card(style: Style) -> Reply:
    """Once more before a style goes for good."""
    versions = f" with its {style.version} versions" if style.version > 1 else ""
    shared = " It is shared with a server, which then loses it too." if style.guild is not None else ""
    return Reply(
        parts=(
            Text(f"### Delete {plain(style.name)}{versions}?\nPictures that were painted with it stay.{shared}"),
            Row(
                (
                    _button(REALLY, style.id, label="Delete", emoji="🗑️", look="danger"),
                    _button(SHOW, style.id, label="Keep it"),
                )
            ),
        ),
        accent=FAILURE_ACCENT,
    )


def kept_words(style: Style) -> str:
    """A style was kept: under which name, and how to use it."""
    again = f" (version {style.version})" if style.version > 1 else ""
    where = ""
    if style.prompt and PLACE not in style.prompt:
        where = f"\n-# Without {PLACE} in it, its words come after those of a request."
    return f"Kept **{plain(style.name)}**{again}. `/imagine style:` offers it.{where}"


def _heading(style: Style, rights: Rights) -> str:
    version = f" · version {style.version}" if style.version > 1 else ""
    whose = "yours" if rights.own else f"<@{style.owner}>'s, shared with this server"
    shared = " · shared with a server" if rights.own and style.guild is not None else ""
    return f"### {plain(style.name)}{version}\n-# {whose}{shared} · {ago(style.created)}"


def _texts(style: Style) -> tuple[Text, ...]:
    """Its words, negative, LoRAs and settings, as far as it has them."""
    sets = write_settings(style.settings)
    facts = (
        ("Words", style.prompt, WHOLE),
        ("Keeps out", style.negative, WHOLE),
        ("LoRAs", style.settings.loras, WHOLE // 2),
        ("Settings", sets, WHOLE // 2),
    )
    return tuple(Text(f"**{label}**\n{_block(words, limit)}") for label, words, limit in facts if words)


def _deeds(style: Style, rights: Rights) -> tuple[Button, ...]:
    shared = style.guild is not None
    taking = _button(UNSHARE, style.id, label="Take it back", emoji="📣")
    if not rights.own:
        return (taking,)
    sharing = _button(SHARE, style.id, label="Share here", emoji="📣", off=not (rights.share and rights.server))
    return (
        _button(EDIT, style.id, label="Edit", emoji="✏️"),
        _button(f"{VERSIONS}-1", style.id, label="Versions", emoji="🕘", off=style.version == 1),
        taking if shared else sharing,
        _button(DELETE, style.id, label="Delete", emoji="🗑️"),
    )


def _order(style: Style) -> str:
    if not style.prompt:
        return ""
    return "" if PLACE in style.prompt else f" Its words come after those of a request: there is no {PLACE} in them."


def _line(style: Style, *, person: int) -> str:
    shared = "" if style.owner == person else " (this server's)"
    return f"- **{plain(style.name, limit=60)}**{shared} {_words(style)}"


def _words(style: Style) -> str:
    texts = [code(style.prompt, limit=SHOWN)] if style.prompt else []
    texts += [f"without {code(style.negative, limit=40)}"] if style.negative else []
    sets = ", ".join(part for part in (style.settings.loras, write_settings(style.settings)) if part)
    return " · ".join([*texts, *([plain(sets, limit=40)] if sets else [])])


def _block(text: str, limit: int) -> str:
    shown = shorten(text, limit=limit).replace(_FENCE, "ˋˋˋ")
    return f"{_FENCE}\n{shown}\n{_FENCE}"


def _id(verb: str, style: int) -> str:
    return Ticket(Action.STYLE, style, verb).custom_id


def _button(
    verb: str, style: int, *, label: str = "", emoji: str = "", look: Look = "secondary", off: bool = False
) -> Button:
    return Button(custom_id=_id(verb, style), label=label, emoji=emoji, style=look, disabled=off)
