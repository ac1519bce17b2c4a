"""A tiled upscale takes the memory of one tile and of its canvas, however large it is."""

import json
import subprocess
import sys
from typing import Any

from bot.settings import PROJECT

TILE_PIXELS = 768 * 768


def measured(side: int) -> dict[str, Any]:
    """What a process of its own had and asked for while it redrew a picture to `side` pixels."""
    command = [sys.executable, "-m", "tests.unit.inference.models.redraw_memory", str(side)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT)
    return json.loads(done.stdout)


def test_4096_takes_what_768_takes_and_the_canvas() -> None:
    """From 512² through a network that quadruples: no network is ever shown more than 768², and beside the canvas (four bytes a
    pixel) there is room for what it was enlarged from, a row of tiles and the file, not for a second one."""
    one, large = measured(768), measured(4096)
    assert large["size"] == [4096, 4096]
    assert large["largest"] == one["largest"] == TILE_PIXELS
    canvas = 4096 * 4096 * 4
    assert large["resident"] - one["resident"] < 1.4 * canvas + 2 * large["file"]
