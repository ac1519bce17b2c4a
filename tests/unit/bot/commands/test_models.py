"""What `models` prints: every kind of file that is used, by its own name, and words where the painter does not come up."""

from typing import Any

import pytest
from rich.console import Console

from bot.commands.models import list_models, table_of
from bot.errors import SetupError
from inference.api.result import Inventory, ModelFile
from tests.unit.bot.commands.conftest import Make


def test_every_kind_is_listed_under_its_name() -> None:
    """Hypernetworks too have their row, and brackets in a name stay."""
    kinds = ("checkpoints", "vaes", "loras", "embeddings", "hypernetworks", "upscalers", "controls", "annotators")
    files: dict[str, Any] = {
        kind: (ModelFile(f"{kind} [bold]", f"/m/{kind}.pt", "0123456789", "sd1"),) for kind in kinds
    }
    console = Console(width=200)
    with console.capture() as printed:
        console.print(table_of(Inventory(**files)))
    for kind in files:
        assert f"{kind} [bold]" in printed.get()


async def test_a_painter_that_does_not_start_is_a_sentence(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot be started ends the command with its reason, as an error that is shown without a traceback."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # where no Python can begin
    with pytest.raises(SetupError, match="The painter could not be started: "):
        await list_models(make())
