"""Easel as a newcomer has it: `python -m bot` in a process of its own, and a person at its page in a real browser.

Owns the process, and the keys that somebody presses. Refuses to look behind the page.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.settings import PROJECT
from tests.e2e.browser import find_browser

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?key=\S+")
PATIENCE = 600.0
"""Seconds that anything may take on a machine that does a great deal besides."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


class Running:
    """A process of Easel. `url` is the page's address; `said` what it wrote to its terminal."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.url = ""
        self.said: list[str] = []

    async def listen(self) -> None:
        """Read what it says, to its end."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode(errors="replace"))

    async def until_up(self) -> None:
        """Wait for the address. Raises AssertionError with its words where it ended before."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode(errors="replace"))
            if found := ADDRESS.search(self.said[-1]):
                self.url = found.group()
                return
        raise AssertionError("".join(self.said))

    async def interrupt(self) -> int:
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def easel(data: Path, **settings: str) -> AsyncGenerator[Running]:
    """`python -m bot` without a token, its memory in `data`, until interrupted. `settings` are EASEL_… variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EASEL_")}
    environment |= {"EASEL_PATHS__DATA": str(data), "EASEL_SANDBOX__OPEN_BROWSER": "false", **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", cwd=PROJECT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    running = Running(process)
    listening: asyncio.Task[None] | None = None
    try:
        await asyncio.wait_for(running.until_up(), PATIENCE)
        listening = asyncio.create_task(running.listen())
        yield running
    finally:
        if process.returncode is None:
            await running.interrupt()
        if listening is not None:
            await listening


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """The machine's own Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=list(QUIET))
        yield browser
        await browser.close()


async def choose(card: Locator, name: str, option: str, *, several: bool = False) -> None:
    """Open a menu, walk to an option, choose it, and close the menu where it takes several."""
    box = card.get_by_role("combobox", name=name).last
    await box.press("ArrowDown")
    options = card.get_by_role("option")
    for _ in range(await options.count()):
        active = card.locator(".choice-list:not([hidden]) li.active")
        if option in (await active.inner_text()):
            break
        await box.press("ArrowDown")
    await box.press("Enter")
    if several:
        await box.press("Escape")


class Visitor:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.get_by_label("Message", exact=True)

    async def arrive(self, url: str) -> None:
        """Open the page and wait until Easel is there with its commands."""
        await self.page.goto(url)
        await expect(self.page.locator("#app[data-state=ready]")).to_be_attached()
        await expect(self.page.locator("#app[data-commands]:not([data-commands='0'])")).to_be_attached()

    async def begin(self, typed: str) -> None:
        """Type the beginning of a command and take the first that is offered."""
        await self.box.focus()
        await self.page.keyboard.type(typed)
        await expect(self.page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
        await self.page.keyboard.press("Tab")

    async def option(self, name: str, value: str) -> None:
        """Add an option and fill it in, as it was typed."""
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(name)
        await self.page.keyboard.press("Tab")
        await expect(self.page.locator(f"[data-option={name}]")).to_be_focused()
        await self.page.keyboard.type(value)

    async def fill(self, name: str, value: str) -> None:
        """Fill an option in that stands there already, or add it; what is suggested is put away."""
        field = self.page.locator(f"[data-option={name}]")
        if await field.count():
            await field.focus()
            await self.page.keyboard.type(value)
        else:
            await self.page.get_by_label("Add an option").focus()
            await self.page.keyboard.type(name)
            await self.page.keyboard.press("Tab")
            await expect(field).to_be_focused()
            await self.page.keyboard.type(value)

    async def send(self) -> None:
        """Send what was filled in."""
        await self.page.keyboard.press("Enter")

    def cards(self, words: str, *, count: int | None = None) -> Locator:
        """Messages with finished pictures and these words; `count` says how many pictures each shows."""
        shown = ".gallery" if count is None else f".gallery[data-count='{count}']"
        done = self.page.locator(".message").filter(has=self.page.locator(shown))
        return done.filter(has_text=words).filter(has=self.page.get_by_role("button", name="🔄"))

    async def press(self, card: Locator, name: str) -> None:
        """Press a button of a card."""
        await card.get_by_role("button", name=name, exact=True).press("Enter")
