"""/control at the page, by keyboard alone: from the command over the card with its map and forms to the steered pictures."""

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
from inference.client.fake import FakeBackend
from tests.e2e.easel import Studio, settings_in, studio_at
from tests.e2e.steered import SHELF
from tests.e2e.test_menus import picture
from tests.e2e.visit import PATIENCE, Visitor, chromium

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


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio with ControlNets on its shelf, whose painter is done at once."""
    painter = FakeBackend(inventory=SHELF)
    async with studio_at(settings_in(tmp_path, count=2), token=loopback.token, painter=painter) as running:
        yield running


async def test_a_picture_is_followed_by_keyboard(
    studio: Studio, loopback: Loopback, ada: Person, tmp_path: Path
) -> None:
    """The command's suggestions, the card with the map, the form of a control, one more, and the result with its maps."""
    expect.set_options(timeout=PATIENCE * 1000)
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1366, "height": 900}, reduced_motion="reduce")
        visitor = Visitor(page)
        await visitor.arrive(loopback.urls.page)
        await visitor.begin("/control")
        photo = {"name": "photo.png", "mimeType": "image/png", "buffer": picture((512, 384))}
        await page.locator("[data-option=picture]").set_input_files(photo)  # what the system's own dialog hands over
        await page.locator("[data-option=prompt]").focus()
        await page.keyboard.type("a red boat")
        await visitor.option("kind", "scrib")
        await expect(page.get_by_role("option").first).to_contain_text("tiny_scribble")
        await page.screenshot(path=folder / "control-kinds.png")
        await page.keyboard.press("Tab")
        await visitor.send()
        card = page.locator(".message").filter(has=page.get_by_role("heading", name="Control", exact=True))
        await expect(card.locator(".gallery img")).to_have_count(1)
        await expect(card).to_contain_text("Scribble from a drawing")
        await page.screenshot(path=folder / "control-card.png")
        await card.get_by_role("button", name="Change").press("Enter")
        form = page.get_by_role("dialog", name="Change the control")
        await form.get_by_label("Weight, start, end").fill("0.7, 0, 0.8")
        await page.screenshot(path=folder / "control-form.png")
        await page.keyboard.press("Control+Enter")
        await expect(form).to_have_count(0)
        await expect(card).to_contain_text("weight 0.7 · from 0 to 0.8 of the steps")
        await card.get_by_role("button", name="Another control").press("Enter")
        more = page.get_by_role("dialog", name="Another control")
        await expect(more).to_be_visible()
        await page.keyboard.press("Control+Enter")
        await expect(more).to_have_count(0)
        await expect(card.locator(".gallery img")).to_have_count(2)
        await card.get_by_role("button", name="Remove 2").press("Enter")
        await expect(card.locator(".gallery img")).to_have_count(1)
        await card.get_by_role("button", name="Paint").press("Enter")
        done = page.locator(".message").filter(has=page.get_by_role("button", name="Use the map"))
        await expect(done.locator(".gallery img")).to_have_count(3)
        await expect(done.get_by_alt_text("Map of control 1: Scribble from a drawing")).to_have_count(1)
        await done.get_by_role("button", name="Controls").focus()
        await page.screenshot(path=folder / "control-result.png")
