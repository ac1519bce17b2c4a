"""A plot, a LoRA picker and the gallery's pages at the page, by keyboard alone, with the studio's own bot behind it."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import expect

from bot.sandbox.server import Loopback
from inference.api.result import Inventory, ModelFile
from inference.client.fake import FAKE_INVENTORY, FakeBackend
from tests.e2e.easel import Studio, settings_in, studio_at
from tests.e2e.visit import PATIENCE, Visitor, choose, chromium

pytestmark = pytest.mark.page

WITH_LORAS: Inventory = msgspec.structs.replace(
    FAKE_INVENTORY,
    loras=tuple(
        ModelFile(name, f"models/Lora/{name}.safetensors", letter * 12, "sd1", native=512, triggers=(f"{name} style",))
        for name, letter in (("ink", "a"), ("fur", "b"), ("neon", "c"))
    ),
)


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio that paints at once, with three LoRAs on its shelf."""
    painter = FakeBackend()
    painter.inventory = WITH_LORAS
    async with studio_at(settings_in(tmp_path, count=1), token=loopback.token, painter=painter) as running:
        yield running


@asynccontextmanager
async def visiting(loopback: Loopback) -> AsyncGenerator[Visitor]:
    """Ada at the page."""
    expect.set_options(timeout=PATIENCE * 1000)
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1366, "height": 900}, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE * 100)
        ada = Visitor(page)
        await ada.arrive(loopback.urls.page)
        yield ada


async def test_a_plot_by_keyboard(studio: Studio, loopback: Loopback, tmp_path: Path) -> None:
    """The command with its axes, the question, the yes, the grid, and one cell of it opened as a picture."""
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    async with visiting(loopback) as ada:
        page = ada.page
        await ada.begin("/plot")
        for option, typed in {
            "prompt": "a red apple",
            "x_axis": "CFG Scale",
            "x_values": "3, 7",
            "y_axis": "Steps",
            "y_values": "2, 4",
        }.items():
            await ada.fill(option, typed)
        await ada.send()
        question = page.locator(".message").filter(has_text="4 cells")
        await expect(question).to_contain_text("CFG Scale: 3, 7")
        await question.get_by_role("button", name="Paint").press("Enter")
        grid = page.locator(".message").filter(has=page.get_by_role("combobox", name="Open a picture"))
        await expect(grid.locator(".gallery img")).to_have_count(1)
        await page.screenshot(path=folder / "plot-by-keyboard.png")
        await choose(grid, "Open a picture", "CFG Scale: 7.0 · Steps: 4")
        await expect(ada.cards("a red apple", count=1)).to_have_count(1)


async def test_loras_by_keyboard(studio: Studio, loopback: Loopback, tmp_path: Path) -> None:
    """Two LoRAs taken with the menu, their weights said in a form, and a picture painted with both."""
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    async with visiting(loopback) as ada:
        page = ada.page
        await ada.begin("/lora browse")
        await ada.send()
        picker = page.locator(".message").filter(has_text="ink style")
        await choose(picker, "Take LoRAs of this page", "fur", several=True)
        await expect(picker).to_contain_text("Taken: fur")
        await choose(picker, "Take LoRAs of this page", "ink", several=True)
        await expect(picker).to_contain_text("ink")
        await picker.get_by_role("button", name="Weights").press("Enter")
        form = page.get_by_role("dialog", name="Weights")
        await form.get_by_label("LoRAs and weights").fill("fur:0.5\nink:1.2")
        await page.keyboard.press("Control+Enter")
        await expect(picker).to_contain_text("ink:1.2")
        await page.screenshot(path=folder / "loras-by-keyboard.png")
        await picker.get_by_role("button", name="Paint").press("Enter")
        form = page.get_by_role("dialog", name="Paint")
        await expect(form.get_by_label("LoRAs", exact=True)).to_have_value("fur:0.5, ink:1.2")
        await form.get_by_label("Prompt", exact=True).fill("a red apple")
        await page.keyboard.press("Control+Enter")
        await expect(ada.cards("a red apple", count=1)).to_have_count(1)


async def test_the_gallery_by_keyboard(studio: Studio, loopback: Loopback, tmp_path: Path) -> None:
    """A picture found by words, opened, kept in a new collection, and that collection opened."""
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    async with visiting(loopback) as ada:
        page = ada.page
        for words in ("a red apple", "a green pear"):
            await ada.begin("/imagine")
            await ada.fill("prompt", words)
            await ada.send()
            await expect(ada.cards(words)).to_have_count(1)
        await ada.begin("/gallery search")
        await ada.fill("words", "pear")
        await ada.send()
        await page.get_by_role("button", name="in our conversation").press("Enter")
        found = page.locator(".message").filter(has=page.get_by_role("combobox", name="Open a picture by its number"))
        await expect(found).to_contain_text("pear")
        await page.screenshot(path=folder / "gallery-by-keyboard.png")
        await choose(found, "Open a picture by its number", "1")
        opened = page.locator(".message").filter(has=page.get_by_role("button", name="Collections"))
        await opened.get_by_role("button", name="Collections").last.press("Enter")
        await page.get_by_role("button", name="New").press("Enter")
        form = page.get_by_role("dialog", name="New collection")
        await expect(form.get_by_label("Name")).to_be_focused()
        await page.keyboard.type("Orchard")
        await page.keyboard.press("Control+Enter")
        await expect(form).to_have_count(0)
        await expect(page.locator(".message").last).to_contain_text("Orchard")
        await page.screenshot(path=folder / "collections-by-keyboard.png")
        await ada.begin("/gallery collections")
        await ada.send()
        sets = page.locator(".message").filter(has=page.get_by_role("combobox", name="Open a collection"))
        await choose(sets, "Open a collection", "Orchard")
        inside = page.locator(".message").filter(has=page.get_by_role("combobox", name="Open a picture by its number"))
        await expect(inside.last).to_contain_text("Orchard")
        await expect(inside.last.get_by_role("img", name="a green pear")).to_be_visible()
        await page.screenshot(path=folder / "collection-by-keyboard.png")
