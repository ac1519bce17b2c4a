"""The limits that discord.py lets through."""

from typing import Any

import pytest

from bot.discord_ui.reply import Attachment
from bot.discord_ui.validate import TooMuch, check_components, check_files, check_form, check_message


def button(custom_id: str = "a", label: str = "Go") -> dict[str, Any]:
    """A button's payload."""
    return {"type": 2, "custom_id": custom_id, "label": label, "style": 2}


def row(*items: dict[str, Any]) -> dict[str, Any]:
    """An action row's payload."""
    return {"type": 1, "components": list(items)}


def menu(count: int, **changes: Any) -> dict[str, Any]:
    """A menu's payload."""
    return {
        "type": 3,
        "custom_id": "m",
        "options": [{"label": str(i), "value": str(i)} for i in range(count)],
        **changes,
    }


def text(length: int) -> dict[str, Any]:
    """A text's payload."""
    return {"type": 10, "content": "x" * length}


def gallery(count: int, alt: int = 5) -> dict[str, Any]:
    """A gallery's payload."""
    return {"type": 12, "items": [{"media": {"url": "attachment://a"}, "description": "x" * alt}] * count}


def container(*parts: dict[str, Any]) -> dict[str, Any]:
    """A container's payload."""
    return {"type": 17, "components": list(parts)}


BROKEN = {
    "custom_id of 101": container(row(button("x" * 101))),
    "empty custom_id": container(row(button(""))),
    "26 options": container(row(menu(26))),
    "no options": container(row(menu(0))),
    "two options alike": container(row(menu(2, options=[{"label": "a", "value": "v"}] * 2))),
    "option of 101": container(row(menu(1, options=[{"label": "a" * 101, "value": "v"}]))),
    "11 pictures": container(gallery(11)),
    "alt text of 1025": container(gallery(1, 1025)),
    "4001 characters": container(text(2000), text(2001)),
    "41 components": container(*[text(1)] * 40),
    "6 buttons": container(row(*(button(str(i)) for i in range(6)))),
    "an empty row": container(row()),
    "menu beside a button": container(row(menu(1), button())),
    "label of 81": container(row(button(label="x" * 81))),
    "custom_id twice": container(row(button("a")), row(button("a"))),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_what_discord_refuses_is_never_sent(broken: dict[str, Any]) -> None:
    """Each limit of a card that the library does not check is checked here."""
    with pytest.raises(TooMuch):
        check_components([broken])


def test_a_card_at_its_limits_passes() -> None:
    """Exactly as much as Discord takes is not refused."""
    check_components(
        [container(text(4000), gallery(10, 1024), row(menu(25)), row(*(button(str(i)) for i in range(5))))]
    )
    check_components([container(*[text(1)] * 39)])


def test_a_layout_carries_nothing_beside_itself() -> None:
    """Content, embeds or a poll beside Components V2 are caught; a classic row with content is not."""
    for extra in ({"content": "hi"}, {"embeds": [{}]}, {"poll": {"question": {}}}):
        with pytest.raises(TooMuch):
            check_message({"components": [container(text(1))], **extra})
    check_message({"components": [row(button())], "content": "hi"})
    with pytest.raises(TooMuch):
        check_message({"content": "x" * 2001})


def test_files_are_few_small_and_named_apart() -> None:
    """Eleven files, more than 25 MiB together, one name twice or an endless alt text are caught; ten files pass."""
    few = [Attachment(f"{i}.webp", b"") for i in range(11)]
    check_files(few[:10])
    for broken in (
        few,
        [Attachment("a", bytes(13 * 2**20)), Attachment("b", bytes(13 * 2**20))],
        [Attachment("a", b""), Attachment("a", b"")],
        [Attachment("a", b"", "x" * 1025)],
    ):
        with pytest.raises(TooMuch):
            check_files(broken)


def field(custom_id: str = "f", label: str = "Prompt", **changes: Any) -> dict[str, Any]:
    """A labelled text field's payload."""
    return {"type": 18, "label": label, "component": {"type": 4, "custom_id": custom_id}, **changes}


def test_forms_are_checked_like_cards() -> None:
    """A form at its limits passes; six fields, a long title, label or description, a custom_id twice do not."""
    good = {"title": "T" * 45, "custom_id": "c" * 100, "components": [field(str(i)) for i in range(5)]}
    check_form(good)
    for change in (
        {"title": "T" * 46},
        {"title": ""},
        {"custom_id": "c" * 101},
        {"components": [field(str(i)) for i in range(6)]},
        {"components": [field(label="x" * 46)]},
        {"components": [field(description="x" * 101)]},
        {"components": [field("a"), field("a")]},
        {"components": [field(component=menu(26))]},
    ):
        with pytest.raises(TooMuch):
            check_form({**good, **change})
