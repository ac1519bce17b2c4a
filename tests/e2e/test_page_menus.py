"""Remix and the nine regions at the page, by keyboard alone, with the studio's own bot behind it."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.sandbox.driver import Person
from bot.sandbox.server import Loopback
from tests.e2e.easel import Studio
from tests.e2e.test_menus import TEXT, picture, say
from tests.e2e.visit import PATIENCE, chromium

pytestmark = pytest.mark.page


async def test_a_region_of_somebodys_picture_by_keyboard(
    quick: Studio, loopback: Loopback, ada: Person, tmp_path: Path
) -> None:
    """From the message's menu to the card with nine buttons, its form, and four pictures; nothing needs a mouse."""
    expect.set_options(timeout=PATIENCE * 1000)
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    say(ada, ("photo.png", picture((512, 384), parameters=TEXT)))
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1366, "height": 900}, reduced_motion="reduce")
        await page.goto(loopback.urls.page)
        message = page.locator(".message").filter(has_text="look").last
        await message.get_by_role("button", name="More and apps").press("Enter")
        await page.get_by_role("menuitem", name="Remix").press("Enter")
        card = page.locator(".message").filter(has_text="Its text tells how it was painted")
        await card.get_by_role("button", name="Region").press("Enter")
        picker = page.locator(".message").filter(has_text="What shall be painted anew?")
        for region in ("Middle", "Top right"):
            await picker.get_by_role("button", name=region, exact=True).press("Enter")
            await expect(picker.locator("small").filter(has_text=region.lower())).to_be_visible()
        await page.screenshot(path=folder / "regions.png")
        await picker.get_by_role("button", name="Say what goes there").press("Enter")
        form = page.get_by_role("dialog", name="Paint the region anew")
        await expect(form.get_by_label("Prompt", exact=True)).to_have_value("a lighthouse at dusk")
        await form.get_by_label("Prompt", exact=True).fill("a full moon")
        await page.screenshot(path=folder / "region-form.png")
        await page.keyboard.press("Control+Enter")
        await expect(form).to_have_count(0)
        done = page.locator(".message").filter(has=page.locator(".gallery[data-count='4']"))
        await expect(done.filter(has_text="a full moon")).to_have_count(1)
        await message.get_by_role("button", name="More and apps").press("Enter")
        await page.get_by_role("menuitem", name="Image info").press("Enter")
        info = page.locator(".message").filter(has=page.get_by_role("button", name="Paint it here"))
        await expect(info).to_contain_text("Schedule type: Karras")
        await info.get_by_role("button", name="Paint it here").focus()
        await page.screenshot(path=folder / "image-info.png")
