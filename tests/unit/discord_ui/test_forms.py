"""The forms, and the tables behind buttons and commands."""

from pathlib import Path
from typing import Any

import pytest

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.forms import (
    LORAS,
    PICTURE,
    PROMPT,
    SAMPLER,
    SEED,
    SHAPE,
    TEXT_LIMIT,
    edit_form,
    imagine_form,
    read_form,
)
from bot.discord_ui.presses.table import HANDLERS
from bot.settings import PathSettings, Settings
from bot.studio import studio
from inference.client.fake import FakeBackend


def test_every_action_is_answered() -> None:
    """No button, menu or form of ours leads nowhere."""
    assert set(HANDLERS) == set(Action)


@pytest.mark.parametrize("loras", [(), ("ink",), tuple(f"lora {n}" for n in range(300))])
async def test_forms_have_five_fields(loras: tuple[str, ...]) -> None:
    """Whatever lies in the models folder, Discord takes both forms; without LoRAs the sampler stands in their place."""
    ask = imagine_form(Ticket(Action.FORM, 0), loras=loras).to_dict()
    edit = edit_form(Ticket(Action.EDIT_FORM, 7), prompt="a cat", negative="", loras=loras).to_dict()
    for form in (ask, edit):
        names = [field["component"]["custom_id"] for field in form["components"]]
        assert len(names) == 5
        assert (LORAS in names) == bool(loras)
        assert (SAMPLER in names) != bool(loras)
    assert edit["custom_id"] == Ticket(Action.EDIT_FORM, 7).custom_id
    assert edit["components"][0]["component"]["value"] == "a cat"


async def test_a_prompt_that_fills_a_form() -> None:
    """The longest text that a form takes is taken."""
    edit_form(Ticket(Action.EDIT_FORM, 1), prompt="x" * TEXT_LIMIT, negative="x" * TEXT_LIMIT, loras=())


def test_what_a_submitted_form_carries() -> None:
    """Texts, one choice, several choices and files are read by their names; what was left empty is left out."""
    data: dict[str, Any] = {
        "custom_id": "x",
        "components": [
            {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": PROMPT, "value": "a cat"}},
            {"type": 18, "id": 3, "component": {"type": 21, "id": 4, "custom_id": SEED, "value": "keep"}},
            {"type": 18, "id": 5, "component": {"type": 21, "id": 6, "custom_id": SHAPE, "value": None}},
            {"type": 18, "id": 7, "component": {"type": 3, "id": 8, "custom_id": LORAS, "values": ["ink", "fur"]}},
            {"type": 18, "id": 9, "component": {"type": 19, "id": 10, "custom_id": PICTURE, "values": ["77"]}},
        ],
        "resolved": {"attachments": {"77": {"id": "77", "filename": "a.png"}}},
    }
    filled = read_form(data)
    assert filled.texts == {PROMPT: "a cat"}
    assert filled.choice(SEED) == "keep"
    assert filled.choice(SHAPE) is None
    assert filled.choices[LORAS] == ("ink", "fur")
    assert filled.files[PICTURE] == ({"id": "77", "filename": "a.png"},)


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
