"""The forms, and the tables behind buttons and commands."""

from pathlib import Path
from typing import Any

import pytest

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.forms import (
    FORMS,
    PICTURE,
    PROMPT,
    SEED,
    SHAPE,
    open_form,
    read_form,
)
from bot.discord_ui.presses.table import HANDLERS
from bot.settings import PathSettings, Settings
from bot.studio import studio
from inference.api.catalog import SAMPLERS
from inference.client.fake import FakeBackend


def test_every_action_is_answered() -> None:
    """No button, menu or form of ours leads nowhere."""
    assert set(HANDLERS) == set(Action)


BEGINNINGS: tuple[dict[str, str], ...] = (
    {},
    {"prompt": "a cat", "negative": "fog", "worn": "ink:0.8", "seed": "variation", "size": "512x768"},
    {
        "prompt": "x" * 9000,
        "negative": "y" * 9000,
        "worn": "z" * 9000,
        "steps": "20",
        "sampler": "euler",
        "strength": "0.5",
    },
    {"seed": "never", "sampler": "never", "content": "never", "area": "never", "shape": "never"},
)


@pytest.mark.parametrize("values", BEGINNINGS, ids=range(len(BEGINNINGS)))
async def test_forms_are_what_discord_takes(values: dict[str, str]) -> None:
    """Whatever a form begins with, it has at most five fields within Discord's limits, and its ticket is its custom_id."""
    for action in FORMS:
        form = open_form(Ticket(action, 7), values).to_dict()
        assert 1 <= len(form["components"]) <= 5
        assert form["custom_id"] == Ticket(action, 7).custom_id


async def test_a_form_begins_with_what_there_was() -> None:
    """Texts stand in their fields, and choices are made."""
    form = open_form(Ticket(Action.EDIT_FORM, 7), BEGINNINGS[1]).to_dict()
    fields = {label["component"]["custom_id"]: label["component"] for label in form["components"]}
    assert fields[PROMPT]["value"] == "a cat"
    assert [row["value"] for row in fields[SEED]["options"] if row.get("default")] == ["variation"]
    settings = open_form(Ticket(Action.SETTINGS_FORM, 7), BEGINNINGS[2]).to_dict()
    names = [label["component"]["custom_id"] for label in settings["components"]]
    assert names == ["sampler", "steps", "cfg", "clip_skip", "strength"], "a picture from a picture has no second pass"


def test_every_sampler_fits_its_menu() -> None:
    """Discord's menus have 25 lines; one sampler more would be cut off, and the form needs another field then."""
    assert len(SAMPLERS) <= 25


def test_what_a_submitted_form_carries() -> None:
    """Texts, one choice, several choices and files are read by their names; what was left empty is left out."""
    data: dict[str, Any] = {
        "custom_id": "x",
        "components": [
            {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": PROMPT, "value": "a cat"}},
            {"type": 18, "id": 3, "component": {"type": 21, "id": 4, "custom_id": SEED, "value": "keep"}},
            {"type": 18, "id": 5, "component": {"type": 21, "id": 6, "custom_id": SHAPE, "value": None}},
            {"type": 18, "id": 7, "component": {"type": 3, "id": 8, "custom_id": "several", "values": ["ink", "fur"]}},
            {"type": 18, "id": 9, "component": {"type": 19, "id": 10, "custom_id": PICTURE, "values": ["77"]}},
        ],
        "resolved": {"attachments": {"77": {"id": "77", "filename": "a.png"}}},
    }
    filled = read_form(data)
    assert filled.texts == {PROMPT: "a cat"}
    assert filled.choice(SEED) == "keep"
    assert filled.choice(SHAPE) is None
    assert filled.choices["several"] == ("ink", "fur")
    assert filled.files[PICTURE] == ({"id": "77", "filename": "a.png"},)
    assert filled.values() == {PROMPT: "a cat", SEED: "keep", "several": "ink"}


async def test_commands_are_what_discord_takes(tmp_path: Path) -> None:
    """/imagine has at most fourteen options, and each command fits Discord's 8,000 characters."""
    settings = Settings(paths=PathSettings(data=tmp_path))
    async with studio(settings, backend=FakeBackend()) as easel:
        commands = {command.name: command.to_dict(easel.client.tree) for command in easel.client.tree.get_commands()}
    assert len(commands["imagine"]["options"]) <= 14
    for command in commands.values():
        assert _characters(command) <= 8000
        assert command["contexts"] == [0, 1], "servers and conversations with the bot"


def _characters(part: dict[str, Any]) -> int:
    """Names, descriptions and values of a command and all below it, as Discord counts them."""
    own = len(part["name"]) + len(part.get("description", ""))
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices") or ())
    return own + choices + sum(_characters(option) for option in part.get("options") or ())
