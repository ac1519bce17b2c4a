"""Easel in a process of its own, for tests that kill it: a whole studio against a Discord that somebody else runs.

`python -m tests.faults.bot_process API GATEWAY TOKEN FOLDER HOLD`; ends at SIGTERM.
"""

import asyncio
import signal
import sys
from pathlib import Path

from bot.app import point_discord_at
from bot.logs import set_up_logging
from bot.settings import GenerationSettings, PathSettings, Settings
from bot.studio import studio
from inference.client.local import LocalBackend


async def main(api: str, gateway: str, token: str, folder: str, hold: str) -> None:
    """Serve until SIGTERM."""
    point_discord_at(api=api, gateway=gateway)
    settings = Settings(paths=PathSettings(data=Path(folder)), generation=GenerationSettings(count=4, steps=4))
    painter = LocalBackend(settings.engine(), command=(sys.executable, "-m", "tests.faults.painting_worker", hold))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with studio(settings, backend=painter, guild_ready_timeout=0.02) as easel:
        running = asyncio.create_task(easel.client.start(token))
        await stop.wait()
    await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    set_up_logging()
    asyncio.run(main(*sys.argv[1:]))
