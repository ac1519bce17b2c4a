"""What the buttons, menus and forms of styles do.

Owns how each is answered. A card is replaced where it stands; a form that is refused gives back what was written.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.answers import answer, replace
from bot.discord_ui.cards import note_card
from bot.discord_ui.commands.saved import PAGE
from bot.discord_ui.desk import Asked, Desk
from bot.discord_ui.forms import read_form
from bot.discord_ui.markup import plain
from bot.discord_ui.presses.press import Handler, Values
from bot.discord_ui.shown import picture_of
from bot.discord_ui.styles import cards, forms, keeping
from bot.errors import EaselError, NotFound, RequestRefused
from bot.requests.style_settings import TEXT_LIMIT, read_settings, settings_of
from inference.api.request import GenerationRequest
from storage.values import Image, Style, StyleText

_ENLARGED: Final = "An enlarged picture has no words of its own; make a style of the picture that it came from."
_TOO_LONG: Final = (
    f"This style's words are longer than the {TEXT_LIMIT:,} characters of a form; save it anew with /style save."
)


async def list_styles(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A page of the list, or the style that was chosen on it. Everybody gets their own list."""
    verb, _, page = ticket.argument.rpartition("-")
    if verb == cards.SHOW and values:
        await _show(desk, asked, await keeping.seen_style(desk, asked, _number(values)))
        return
    styles = await desk.db.styles.of(asked.user.id, asked.guild_id)
    await replace(asked, cards.list_card(styles, person=asked.user.id, page=_page(page)))


async def act(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """A button of one style, by the verb in its ticket. Raises NotFound, NotAllowed."""
    verb, _, page = ticket.argument.partition("-")
    if verb == cards.NEW:
        await asked.response.send_modal(forms.new_form())
    elif verb == cards.VERSIONS:
        await _versions(desk, asked, ticket.id, page=_page(page))
    elif verb == cards.LOOK:
        await _look(desk, asked, _number(values))
    elif verb in _DEEDS:
        await _DEEDS[verb](desk, asked, ticket.id)
    else:
        raise NotFound("This button is from a version of Easel that knew something else; use `/style list`.")


async def written(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The form of a new style, or of one that is changed, was sent."""
    del values
    filled = forms.read_written(read_form(_data(asked)))
    text = StyleText(name=filled.name, prompt=filled.prompt, negative=filled.negative)
    try:
        name = filled.name if not ticket.id else (await keeping.mine_only(desk, asked, ticket.id)).name
        await asked.response.defer(ephemeral=True, thinking=True)
        sets = await keeping.with_shelf(
            desk, lambda shelf: read_settings(filled.settings, loras=filled.loras, inventory=shelf)
        )
        whole = StyleText(name=name, prompt=text.prompt, negative=text.negative, settings=sets)
        style = await keeping.keep(desk, asked.user.id, whole)
    except EaselError as error:
        await keeping.refused(asked, error, text)
        return
    await _kept(asked, style)


async def open_of(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """Save as style: the form with a picture's words in it."""
    del values
    image, request = await _painted(desk, ticket)
    await asked.response.send_modal(forms.picture_form(image.id, request))


async def written_of(desk: Desk, asked: Asked, ticket: Ticket, values: Values) -> None:
    """The form about a picture was sent."""
    del values
    filled = forms.read_written(read_form(_data(asked)))
    text = StyleText(name=filled.name, prompt=filled.prompt, negative=filled.negative)
    try:
        _, request = await _painted(desk, ticket)
        sets = forms.carried_only(settings_of(request), filled.carried)
        whole = StyleText(name=text.name, prompt=text.prompt, negative=text.negative, settings=sets)
        style = await keeping.keep(desk, asked.user.id, whole)
    except EaselError as error:
        await keeping.refused(asked, error, text)
        return
    await _kept(asked, style)


async def _show(desk: Desk, asked: Asked, style: Style, *, note: str = "") -> None:
    del desk
    rights = keeping.rights_of(asked, style)
    await replace(asked, cards.style_card(style, person=asked.user.id, rights=rights, note=note))


async def _kept(asked: Asked, style: Style) -> None:
    note = cards.kept_words(style)
    rights = keeping.rights_of(asked, style)
    await answer(asked, cards.style_card(style, person=asked.user.id, rights=rights, note=note))


async def _again(desk: Desk, asked: Asked, number: int) -> None:
    await _show(desk, asked, await keeping.seen_style(desk, asked, number))


async def _edit(desk: Desk, asked: Asked, number: int) -> None:
    style = await keeping.mine_only(desk, asked, number)
    check_editable(style)
    await asked.response.send_modal(forms.edit_form(style))


def check_editable(style: Style) -> None:
    """Raise RequestRefused where a style's words do not fit into a form: those of an early Easel may not."""
    if max(len(style.prompt), len(style.negative)) > TEXT_LIMIT:
        raise RequestRefused(_TOO_LONG)


async def _versions(desk: Desk, asked: Asked, number: int, *, page: int) -> None:
    style = await keeping.mine_only(desk, asked, number)
    page = max(1, min(page, -(-style.version // PAGE)))
    shown = await desk.db.styles.versions(style.owner, style.name, offset=(page - 1) * PAGE, limit=PAGE)
    await replace(asked, cards.versions_card(shown, newest=style, page=page))


async def _look(desk: Desk, asked: Asked, number: int) -> None:
    newest = await keeping.mine_only(desk, asked, number)
    style = await desk.db.styles.get(number)
    if style is None:
        raise NotFound(keeping.GONE)
    await replace(asked, cards.version_card(style, newest=newest))


async def _restore(desk: Desk, asked: Asked, number: int) -> None:
    """An old version becomes the newest; none is lost."""
    newest = await keeping.mine_only(desk, asked, number)
    old = await desk.db.styles.get(number)
    if old is None:
        raise NotFound(keeping.GONE)
    text = StyleText(name=newest.name, prompt=old.prompt, negative=old.negative, settings=old.settings)
    style = await keeping.keep(desk, asked.user.id, text)
    await _show(desk, asked, style, note=f"Version {style.version} is version {old.version} again.")


async def _share(desk: Desk, asked: Asked, number: int) -> None:
    style = await keeping.share(desk, asked, await keeping.mine_only(desk, asked, number))
    await _show(desk, asked, style, note="Everybody in this server can use it now.")


async def _unshare(desk: Desk, asked: Asked, number: int) -> None:
    style = await keeping.unshare(desk, asked, await keeping.seen_style(desk, asked, number))
    if style.owner == asked.user.id:
        await _show(desk, asked, style, note="It is yours alone again.")
    else:
        styles = await desk.db.styles.of(asked.user.id, asked.guild_id)
        note = f"{plain(style.name)} is its owner's alone again."
        await replace(asked, cards.list_card(styles, person=asked.user.id, note=note))


async def _delete(desk: Desk, asked: Asked, number: int) -> None:
    await replace(asked, cards.sure_card(await keeping.mine_only(desk, asked, number)))


async def _really(desk: Desk, asked: Asked, number: int) -> None:
    style = await keeping.mine_only(desk, asked, number)
    await desk.db.styles.delete(style.owner, style.name)
    await replace(asked, note_card(f"The style **{plain(style.name)}** is removed."))


_DEEDS: Final[Mapping[str, Callable[[Desk, Asked, int], Awaitable[None]]]] = {
    cards.SHOW: _again,
    cards.EDIT: _edit,
    cards.RESTORE: _restore,
    cards.SHARE: _share,
    cards.UNSHARE: _unshare,
    cards.DELETE: _delete,
    cards.REALLY: _really,
}


async def _painted(desk: Desk, ticket: Ticket) -> tuple[Image, GenerationRequest]:
    image = await picture_of(desk.db, ticket.id)
    if not isinstance(image.request, GenerationRequest):
        raise RequestRefused(_ENLARGED)
    return image, image.request


def _data(asked: Asked) -> Mapping[str, Any]:
    data: Mapping[str, Any] = asked.data or {}
    return data


def _number(values: Values) -> int:
    """The id in what a menu sent. Raises NotFound."""
    if len(values) != 1 or not (values[0].isascii() and values[0].isdigit() and len(values[0]) <= 18):
        raise NotFound(keeping.GONE)
    return int(values[0])


def _page(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 1


HANDLERS: Final[Mapping[Action, Handler]] = {
    Action.STYLES: list_styles,
    Action.STYLE: act,
    Action.STYLE_FORM: written,
    Action.STYLE_OF: open_of,
    Action.STYLE_OF_FORM: written_of,
}
