"""The plot of the README: `python -m tools.plot_picture` paints one with the painter that ships and draws its grid.

Owns what is compared. The cells are planned, painted and drawn by the code that answers `/plot`; only Discord is left out.
Takes a minute on two cores.
"""

import argparse
import asyncio
import io
from contextlib import aclosing
from pathlib import Path
from typing import Final

from PIL import Image

from bot.discord_ui.series.composing import grids
from bot.requests.drafts import ImagineDraft
from bot.requests.plots.changes import Here
from bot.requests.plots.planning import Plan, plan, read_axes
from bot.requests.resolve import resolve
from bot.settings import Settings
from inference.api.request import GenerationRequest
from inference.api.result import Inventory
from inference.api.wire import Failed, Finished
from inference.client.local import LocalBackend

OUT: Final = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "plot.png"
DRAFT: Final = ImagineDraft(prompt="a red apple on a blue background", count=1, seed="7", sampler="euler")
X: Final = ("Prompt S/R", "red apple, yellow star, green fish, pink cup")
Y: Final = ("Steps", "3, 8, 20")
NONE: Final = (None, None)


def planned(inventory: Inventory, settings: Settings) -> Plan:
    """What is compared: four things after 3, 8 and 20 steps."""
    base = resolve(
        DRAFT,
        inventory=inventory,
        defaults=settings.generation,
        limits=settings.limits,
        styles={},
        seeds={},
        random_seed=lambda: 0,
    )

    def restyled(styles: str) -> GenerationRequest:
        del styles
        return base

    here = Here(inventory=inventory, limits=settings.limits, restyled=restyled, random_seed=lambda: 0)
    axes = read_axes((X, Y, NONE), img=False, random_seed=lambda: 0, keep_random=False)
    return plan(base, axes, here, vary=(False, False, False), legend=True)


async def main(out: Path) -> None:
    """Paint the cells and write the grid."""
    settings = Settings()
    backend = LocalBackend(settings.engine())
    ready = await backend.start()
    try:
        made = planned(ready.inventory, settings)
        cells = await asyncio.gather(
            *(paint(backend, number, cell.request) for number, cell in enumerate(made.cells, 1))
        )
    finally:
        await backend.aclose()
    (file,) = grids(made.layout, dict(enumerate(cells)), name="plot", title=DRAFT.prompt, infotext="")
    await asyncio.to_thread(out.write_bytes, file.data)
    print(f"{out}: {len(file.data) // 1000} kB")


async def paint(backend: LocalBackend, job: int, request: GenerationRequest) -> Image.Image:
    """The picture of one cell."""
    async with aclosing(backend.generate(job, request, attachments={})) as events:
        async for event in events:
            match event:
                case Finished(images=images):
                    return Image.open(io.BytesIO(images[0].data)).convert("RGB")
                case Failed(message=message):
                    raise SystemExit(message)
                case _:
                    pass
    raise SystemExit("The painter said nothing more.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    asyncio.run(main(parser.parse_args().out))
