"""What the doctor says about settings that are odd together or on this machine."""

from pathlib import Path

import pytest

from bot.commands.checks.choices import choice_findings
from bot.commands.checks.finding import Finding, Level
from inference.api.result import Device, Inventory, ModelFile
from inference.api.wire import Ready
from inference.client.fake import FAKE_INVENTORY
from tests.unit.bot.commands.conftest import Make


def ready(kind: str = "cpu", inventory: Inventory = FAKE_INVENTORY) -> Ready:
    """A painter with 8 GiB."""
    return Ready(Device("a device", kind, 8 << 30, "float32"), inventory)


def test_the_defaults_are_not_odd(make: Make) -> None:
    """config.toml as it comes gives one line: which model paints where none is chosen."""
    assert choice_findings(make(), ready()) == (
        Finding(Level.OK, "Default", "gradient.safetensors [0123456789] paints where no model is chosen"),
    )


@pytest.mark.parametrize("wanted", ["sunset", "9876543210", "sunset.safetensors [9876543210]"])
def test_the_default_model_may_be_written_as_people_write_it(make: Make, wanted: str) -> None:
    """Name, hash or the webui's title in config.toml find the model."""
    (finding,) = choice_findings(make(generation={"model": wanted}), ready())
    assert finding.found.startswith("sunset.safetensors")


@pytest.mark.parametrize(
    ("section", "level", "words", "advice"),
    [
        ({"generation": {"model": "gone"}}, Level.FAULT, "there is no model “gone”", "`model` of [generation]"),
        ({"generation": {"sampler": "eular"}}, Level.FAULT, "there is no sampler “eular”", "euler_a"),
        ({"generation": {"steps": 90}}, Level.FAULT, "max_steps allows 60", "[limits]"),
        ({"limits": {"max_megapixels": 0.01}}, Level.FAULT, "128 × 128", "at least 0.02"),
        ({"inference": {"preview_every": 100}}, Level.NOTE, "there will be none", "preview_every"),
        ({"limits": {"jobs_per_person": 50, "jobs_per_guild": 10}}, Level.NOTE, "a whole server only 10", "jobs_per"),
        ({"inference": {"device": "cuda"}}, Level.NOTE, "the CPU paints", 'device = "auto"'),
        ({"inference": {"threads": 256}}, Level.NOTE, "threads = 256", "to 0"),
        ({"paths": {"extra_models": [Path("/no/such/webui")]}}, Level.NOTE, "/no/such/webui", "[paths]"),
    ],
)
def test_an_odd_setting_is_named_with_its_key(
    make: Make, section: dict[str, dict[str, object]], level: Level, words: str, advice: str
) -> None:
    """What was found and the key to change are both in the lines; what stops people from painting is a fault."""
    odd = [finding for finding in choice_findings(make(**section), ready()) if finding.level is not Level.OK]
    assert [finding.level for finding in odd] == [level]
    assert words in odd[0].found
    assert advice in odd[0].advice


def test_more_memory_than_the_card_has(make: Make) -> None:
    """A limit above the card's memory is no limit."""
    findings = choice_findings(make(inference={"memory_limit_gib": 12.0}), ready("cuda"))
    assert "memory_limit_gib" in findings[-1].advice
    assert "8.0 GiB" in findings[-1].found
    assert len(choice_findings(make(inference={"memory_limit_gib": 6.0}), ready("cuda"))) == 1


def test_a_default_without_any_model_is_left_to_the_models_line(make: Make) -> None:
    """Where there is no checkpoint at all, that is said once, elsewhere."""
    assert choice_findings(make(), ready(inventory=Inventory())) == ()
    assert choice_findings(make(), ready(inventory=Inventory(checkpoints=(ModelFile("a", "a.ckpt", "", "sd1"),)))) != ()
