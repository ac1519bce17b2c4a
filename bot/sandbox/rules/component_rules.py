"""Rules of message components, classic rows and Components V2.

Source: Discord's documentation, "Component Reference"; limits also by what the API answers.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.sandbox import components as tree
from bot.sandbox.refusals import Faults, Place

Json = dict[str, Any]

ROWS: Final = 5
BUTTONS_IN_ROW: Final = 5
V2_COMPONENTS: Final = 40
V2_TEXT: Final = 4000
CUSTOM_ID: Final = (1, 100)

IN_MESSAGE: Final = frozenset(
    {tree.ACTION_ROW, tree.SECTION, tree.TEXT_DISPLAY, tree.MEDIA_GALLERY, tree.FILE, tree.SEPARATOR, tree.CONTAINER}
)
IN_CONTAINER: Final = IN_MESSAGE - {tree.CONTAINER}


def check_components(faults: Faults, components: list[Json], *, version_2: bool) -> None:
    """Note what is wrong with a message's component tree at its place under `components`."""
    place: Place = ("components",)
    if not version_2:
        faults.count(place, components, (0, ROWS))
    allowed = IN_MESSAGE if version_2 else frozenset({tree.ACTION_ROW})
    for index, component in enumerate(components):
        if _has_type(faults, (*place, index), component, allowed):
            CHECKS[component["type"]](faults, (*place, index), component)
    whole = [(at, c) for at, c in tree.walk(components, place)]
    if version_2:
        if len(whole) > V2_COMPONENTS:
            words = f"The maximum number of components in a message is {V2_COMPONENTS}; these are {len(whole)}."
            faults.add(place, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", words)
        if len(tree.text_of(components).replace("\n", "")) > V2_TEXT:
            words = f"The text of all components together must be {V2_TEXT} or fewer in length."
            faults.add(place, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", words)
    check_unique(faults, whole, "custom_id", "Component custom id cannot be duplicated")
    check_unique(faults, whole, "id", "Component id cannot be duplicated")


def check_unique(faults: Faults, whole: list[tuple[Place, Json]], key: str, words: str) -> None:
    """Note each component whose `key` another one before it has."""
    seen: set[object] = set()
    for place, component in whole:
        value = component.get(key)
        if value and value in seen:
            faults.add((*place, key), f"COMPONENT_{key.upper()}_DUPLICATED", words)
        seen.add(value)


def _has_type(faults: Faults, place: Place, component: Json, allowed: frozenset[int]) -> bool:
    kind = component.get("type")
    if kind in allowed:
        return True
    words = f"Value must be one of {{{', '.join(map(str, sorted(allowed)))}}}."
    faults.add((*place, "type"), "BASE_TYPE_CHOICES" if kind is not None else "BASE_TYPE_REQUIRED", words)
    return False


def _row(faults: Faults, place: Place, row: Json) -> None:
    inside = tree.rows(row, "components")
    faults.count((*place, "components"), inside, (1, BUTTONS_IN_ROW))
    selects = sum(component.get("type") in tree.SELECTS for component in inside)
    if selects and len(inside) > 1:
        words = "A row holds one menu or up to five buttons, not both."
        faults.add((*place, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words)
    for index, component in enumerate(inside):
        here = (*place, "components", index)
        if _has_type(faults, here, component, tree.SELECTS | {tree.BUTTON}):
            CHECKS[component["type"]](faults, here, component)


def _button(faults: Faults, place: Place, button: Json) -> None:
    style = button.get("style")
    if style not in {1, 2, 3, 4, 5, 6}:
        faults.add((*place, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    if style == tree.LINK_STYLE:
        faults.length((*place, "url"), button.get("url"), (1, 512))
        if button.get("custom_id"):
            words = "A custom id and url cannot both be specified"
            faults.add((*place, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", words)
    elif style != 6:
        faults.length((*place, "custom_id"), button.get("custom_id"), CUSTOM_ID)
        if button.get("url"):
            words = "A custom id and url cannot both be specified"
            faults.add((*place, "url"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", words)
    if button.get("label"):
        faults.longest((*place, "label"), button["label"], 80)
    elif not button.get("emoji") and style != 6:
        faults.add((*place, "label"), "BUTTON_COMPONENT_INVALID_EMOJI_OR_LABEL", "A button needs a label or an emoji.")


def check_select(faults: Faults, place: Place, select: Json) -> None:
    """Note what is wrong with a menu of any kind."""
    faults.length((*place, "custom_id"), select.get("custom_id"), CUSTOM_ID)
    faults.longest((*place, "placeholder"), select.get("placeholder") or "", 150)
    least, most = tree.bounds(select)
    if not 0 <= least <= 25 or not 1 <= most <= 25 or least > most:
        words = "min_values must be 0 to 25, max_values 1 to 25 and not below it."
        faults.add((*place, "max_values"), "BASE_TYPE_BAD_VALUE", words)
    if select["type"] != tree.STRING_SELECT:
        return
    options = tree.rows(select, "options")
    faults.count((*place, "options"), options, (1, 25))
    if most > max(1, len(options)):
        faults.add((*place, "max_values"), "BASE_TYPE_BAD_VALUE", "max_values is above the number of options.")
    check_options(faults, (*place, "options"), options)


def check_options(faults: Faults, place: Place, options: list[Json]) -> None:
    """Note what is wrong with the options of a menu or a group."""
    values: set[object] = set()
    for index, option in enumerate(options):
        faults.length((*place, index, "label"), option.get("label"), (1, 100))
        faults.length((*place, index, "value"), option.get("value"), (1, 100))
        faults.longest((*place, index, "description"), option.get("description") or "", 100)
        if option.get("value") in values:
            words = "The specified option value is already used"
            faults.add((*place, index, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", words)
        values.add(option.get("value"))


def _section(faults: Faults, place: Place, section: Json) -> None:
    texts = tree.rows(section, "components")
    faults.count((*place, "components"), texts, (1, 3))
    for index, text in enumerate(texts):
        here = (*place, "components", index)
        if _has_type(faults, here, text, frozenset({tree.TEXT_DISPLAY})):
            check_text(faults, here, text)
    accessory: Json = section.get("accessory") or {}
    if _has_type(faults, (*place, "accessory"), accessory, frozenset({tree.BUTTON, tree.THUMBNAIL})):
        CHECKS[accessory["type"]](faults, (*place, "accessory"), accessory)


def check_text(faults: Faults, place: Place, text: Json) -> None:
    """Note what is wrong with a text display."""
    faults.length((*place, "content"), text.get("content"), (1, V2_TEXT))


def _media(faults: Faults, place: Place, media: Json | None) -> None:
    faults.length((*place, "url"), (media or {}).get("url"), (1, 2048))


def _thumbnail(faults: Faults, place: Place, thumbnail: Json) -> None:
    _media(faults, (*place, "media"), thumbnail.get("media"))
    faults.longest((*place, "description"), thumbnail.get("description") or "", 1024)


def _gallery(faults: Faults, place: Place, gallery: Json) -> None:
    items = tree.rows(gallery, "items")
    faults.count((*place, "items"), items, (1, 10))
    for index, item in enumerate(items):
        _media(faults, (*place, "items", index, "media"), item.get("media"))
        faults.longest((*place, "items", index, "description"), item.get("description") or "", 1024)


def _file(faults: Faults, place: Place, file: Json) -> None:
    _media(faults, (*place, "file"), file.get("file"))
    media: Json = file.get("file") or {}
    url = str(media.get("url", ""))
    if not url.startswith("attachment://") and "/attachments/" not in url:
        words = "A file component takes attachment:// names only."
        faults.add((*place, "file", "url"), "UNFURLED_MEDIA_ITEM_INVALID_URL", words)


def _separator(faults: Faults, place: Place, separator: Json) -> None:
    if separator.get("spacing", 1) not in {1, 2}:
        faults.add((*place, "spacing"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")


def _container(faults: Faults, place: Place, container: Json) -> None:
    inside = tree.rows(container, "components")
    faults.count((*place, "components"), inside, (1, V2_COMPONENTS))
    for index, component in enumerate(inside):
        here = (*place, "components", index)
        if _has_type(faults, here, component, IN_CONTAINER):
            CHECKS[component["type"]](faults, here, component)


CHECKS: Final[Mapping[int, Callable[[Faults, Place, Json], None]]] = {
    tree.ACTION_ROW: _row,
    tree.BUTTON: _button,
    **dict.fromkeys(tree.SELECTS, check_select),
    tree.SECTION: _section,
    tree.TEXT_DISPLAY: check_text,
    tree.THUMBNAIL: _thumbnail,
    tree.MEDIA_GALLERY: _gallery,
    tree.FILE: _file,
    tree.SEPARATOR: _separator,
    tree.CONTAINER: _container,
}
"""Component type -> its rules."""
