"""A server's rules at the page, by keyboard alone: the owner of the sandbox's server is who may administer it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.sandbox.clock import ShiftedClock
from bot.sandbox.conformance import Conformance
from bot.sandbox.driver import Person
from bot.sandbox.page.page import mount
from bot.sandbox.server import Loopback
from tests.e2e.easel import Studio, words_of
from tests.e2e.visit import chromium

pytestmark = pytest.mark.page


@pytest.fixture
async def loopback(openapi: Conformance | None, clock: ShiftedClock) -> AsyncIterator[Loopback]:
    """A loopback Discord with the page on it."""
    if openapi is not None:
        openapi.violations.clear()
    server = Loopback(conformance=openapi, clock=clock, mounts=[mount])
    await server.start()
    yield server
    await server.stop()
    assert not server.violations, "\n".join(server.violations)


async def test_a_model_gets_its_channel_and_role_by_keyboard(
    quick: Studio, loopback: Loopback, ben: Person, tmp_path: Path
) -> None:
    """From everything in words to one model's rule, with the menus of models, channels and roles; it holds at once."""
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1366, "height": 900}, reduced_motion="reduce")
        await page.goto(loopback.urls.page)
        await page.get_by_label("Message", exact=True).focus()
        await page.keyboard.type("/admin show")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        card = page.locator(".message").filter(has_text="Easel in Easel Studio")
        await expect(card).to_contain_text("nobody is slowed down")
        await page.screenshot(path=folder / "admin-show.png")
        await _choose(card, "Change…", "Models")
        await _choose(page.locator(".message"), "Choose…", "sunset")
        rule = page.locator(".message").filter(has_text="No channel chosen means every channel")
        await _choose(rule, "In which channels? (all)", "#gallery", several=True)
        await expect(rule).to_contain_text("Allowed in #gallery")
        await _choose(rule, "For which roles? (everybody)", "Artists", several=True)
        await expect(rule).not_to_contain_text("for everybody.")
        await page.screenshot(path=folder / "admin-rule.png")
        refused = await (await ben.slash("imagine", "#gallery", prompt="a cat", model="sunset")).answered()
        assert "for some roles of this server only" in words_of(refused)
        await rule.get_by_role("button", name="Switch it off").press("Enter")
        await expect(rule).to_contain_text("Allowed nowhere")


async def _choose(card, name: str, option: str, *, several: bool = False) -> None:
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
