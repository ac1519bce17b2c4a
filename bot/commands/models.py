"""`python run.py models`: what lies in the models folders, read by the same engine that paints."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.errors import SetupError
from bot.settings import Settings
from inference.api.backend import Backend, BackendUnavailable
from inference.api.result import Inventory
from inference.client.local import LocalBackend

KINDS = ("checkpoints", "vaes", "loras", "embeddings", "hypernetworks", "upscalers", "controls", "annotators")


@asynccontextmanager
async def worker(settings: Settings) -> AsyncGenerator[Backend]:
    """A painter of our own for the length of one command."""
    backend = LocalBackend(settings.engine())
    try:
        await backend.start()
        yield backend
    finally:
        await backend.aclose()


def table_of(inventory: Inventory) -> Table:
    """All usable files, a row each."""
    table = Table("kind", "name", "hash", "family", "size", box=None, pad_edge=False)
    for kind in KINDS:
        for file in getattr(inventory, kind):
            native = f"{file.native} px" if kind == "checkpoints" else ""
            name = Text(file.name)  # brackets in a name are no colours
            table.add_row(kind.removesuffix("s"), name, file.hash, file.family, native)
    return table


async def list_models(settings: Settings) -> int:
    """Print what was found, then what could not be used and why. Returns 1 when there is no checkpoint.

    Raises SetupError when the painter does not come up.
    """
    console = Console()
    try:
        async with worker(settings) as backend:
            assert backend.ready is not None  # noqa: S101 - start() has returned
            inventory = backend.ready.inventory
    except BackendUnavailable as error:
        raise SetupError(str(error)) from error
    console.print(table_of(inventory))
    for problem in inventory.problems:
        console.print(Text.assemble((problem.path, "yellow"), ": ", problem.sentence))
    if not inventory.checkpoints:
        console.print(
            f"No checkpoint found. Put a .safetensors file into {settings.paths.models / 'Stable-diffusion'}."
        )
    return 0 if inventory.checkpoints else 1
