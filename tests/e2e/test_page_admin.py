"""A server's rules at the page, by keyboard alone: the owner of the sandbox's server is who may administer it."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from tests.e2e.easel import Studio, words_of
from tests.e2e.visit import choose, chromium

pytestmark = pytest.mark.page


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
        await choose(card, "Change…", "Models")
        await choose(page.locator(".message"), "Choose…", "sunset")
        rule = page.locator(".message").filter(has_text="No channel chosen means every channel")
        await choose(rule, "In which channels? (all)", "#gallery", several=True)
        await expect(rule).to_contain_text("Allowed in #gallery")
        await choose(rule, "For which roles? (everybody)", "Artists", several=True)
        await expect(rule).not_to_contain_text("for everybody.")
        await page.screenshot(path=folder / "admin-rule.png")
        refused = await (await ben.slash("imagine", "#gallery", prompt="a cat", model="sunset")).answered()
        assert "for some roles of this server only" in words_of(refused)
        await rule.get_by_role("button", name="Switch it off").press("Enter")
        await expect(rule).to_contain_text("Allowed nowhere")
