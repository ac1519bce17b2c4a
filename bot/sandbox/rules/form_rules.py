"""Rules of modals.

Source: Discord's documentation, "Component Reference" (Label, Text Input, File Upload, Radio Group, Checkbox) and
"Receiving and Responding to Interactions" (modal callback).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.sandbox import components as tree
from bot.sandbox.refusals import Faults, Place
from bot.sandbox.rules.component_rules import CUSTOM_ID, check_options, check_select, check_text, check_unique

Json = dict[str, Any]

FIELDS: Final = 5
TEXT: Final = 4000


def check_form(form: Json) -> None:
    """Refuse the data of a modal callback. Raises InvalidForm with all that is wrong."""
    faults = Faults()
    faults.length(("data", "custom_id"), form.get("custom_id"), CUSTOM_ID)
    faults.length(("data", "title"), form.get("title"), (1, 45))
    components = tree.rows(form, "components")
    place: Place = ("data", "components")
    faults.count(place, components, (1, FIELDS))
    for index, component in enumerate(components):
        here = (*place, index)
        kind = component.get("type")
        if kind == tree.LABEL:
            _label(faults, here, component)
        elif kind == tree.ACTION_ROW:
            _row(faults, here, component)
        elif kind == tree.TEXT_DISPLAY:
            check_text(faults, here, component)
        else:
            faults.add((*here, "type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 10, 18}.")
    check_unique(faults, list(tree.walk(components, place)), "custom_id", "Component custom id cannot be duplicated")
    faults.raise_if_any()


def _label(faults: Faults, place: Place, label: Json) -> None:
    faults.length((*place, "label"), label.get("label"), (1, 45))
    faults.longest((*place, "description"), label.get("description") or "", 100)
    field: Json = label.get("component") or {}
    here = (*place, "component")
    check = FIELD_CHECKS.get(field.get("type", 0))
    if check is None:
        words = f"Value must be one of {{{', '.join(map(str, sorted(FIELD_CHECKS)))}}}."
        faults.add((*here, "type"), "BASE_TYPE_CHOICES", words)
        return
    faults.length((*here, "custom_id"), field.get("custom_id"), CUSTOM_ID)
    if field.get("label"):
        faults.add((*here, "label"), "BASE_TYPE_BAD_VALUE", "The label stands on the Label around it.")
    if field.get("disabled"):
        faults.add((*here, "disabled"), "BASE_TYPE_BAD_VALUE", "Nothing in a modal can be disabled.")
    check(faults, here, field)


def _row(faults: Faults, place: Place, row: Json) -> None:
    fields = tree.rows(row, "components")
    faults.count((*place, "components"), fields, (1, 1))
    for index, field in enumerate(fields):
        here = (*place, "components", index)
        if field.get("type") != tree.TEXT_INPUT:
            faults.add((*here, "type"), "BASE_TYPE_CHOICES", "Value must be one of {4}.")
            continue
        faults.length((*here, "custom_id"), field.get("custom_id"), CUSTOM_ID)
        faults.length((*here, "label"), field.get("label"), (1, 45))
        _text_input(faults, here, field)


def _text_input(faults: Faults, place: Place, field: Json) -> None:
    if field.get("style") not in {1, 2}:
        faults.add((*place, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
    least, most = field.get("min_length") or 0, field.get("max_length") or TEXT
    if not 0 <= least <= TEXT or not 1 <= most <= TEXT or least > most:
        words = f"min_length must be 0 to {TEXT}, max_length 1 to {TEXT} and not below it."
        faults.add((*place, "max_length"), "BASE_TYPE_BAD_VALUE", words)
    faults.longest((*place, "value"), field.get("value") or "", most)
    faults.longest((*place, "placeholder"), field.get("placeholder") or "", 100)


def _file_upload(faults: Faults, place: Place, field: Json) -> None:
    least, most = tree.bounds(field)
    if not 0 <= least <= 10 or not 1 <= most <= 10 or least > most:
        words = "min_values must be 0 to 10, max_values 1 to 10 and not below it."
        faults.add((*place, "max_values"), "BASE_TYPE_BAD_VALUE", words)


def _radio(faults: Faults, place: Place, field: Json) -> None:
    options = tree.rows(field, "options")
    faults.count((*place, "options"), options, (2, 10))
    check_options(faults, (*place, "options"), options)


def _checkboxes(faults: Faults, place: Place, field: Json) -> None:
    options = tree.rows(field, "options")
    faults.count((*place, "options"), options, (1, 10))
    check_options(faults, (*place, "options"), options)


def _nothing_more(_faults: Faults, _place: Place, _field: Json) -> None:
    """A single checkbox has its custom_id and no rule beyond it."""


FIELD_CHECKS: Final[Mapping[int, Callable[[Faults, Place, Json], None]]] = {
    tree.TEXT_INPUT: _text_input,
    **dict.fromkeys(tree.SELECTS, check_select),
    tree.FILE_UPLOAD: _file_upload,
    tree.RADIO_GROUP: _radio,
    tree.CHECKBOX_GROUP: _checkboxes,
    tree.CHECKBOX: _nothing_more,
}
"""What a Label may hold -> its rules."""
