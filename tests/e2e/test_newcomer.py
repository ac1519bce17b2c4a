"""The newcomer's whole way: `python -m bot` as it ships, its own painter, its own page, and nobody who looks behind them."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.visit import PATIENCE, Visitor, chromium, easel

pytestmark = pytest.mark.page

QUICK = {
    "EASEL_GENERATION__STEPS": "2",
    "EASEL_INFERENCE__PREVIEW_EVERY": "1",
    "EASEL_LIMITS__MAX_STEPS": "150",
}
APPLE = "a red apple on a blue background"
SLOW = "a yellow star, night sky"
LONG = "150"  # steps: cards are edited each five seconds, and a fast machine paints four such pictures with 20 in less


async def test_from_the_first_word_to_the_gallery_and_over_ctrl_c(tmp_path: Path) -> None:
    """Slash, card, four pictures, upscale, vary, edit, ✉️, gallery; Ctrl-C in the middle of a job; it is delivered once."""
    expect.set_options(timeout=PATIENCE * 1000)
    async with chromium() as browser:
        page = await browser.new_page(reduced_motion="reduce")
        ada = Visitor(page)
        async with easel(tmp_path, **QUICK) as first:
            await ada.arrive(first.url)
            await _paints(ada)
            await _goes_on(ada)
            await _finds_them_again(ada)
            await page.locator("[data-channel=paint]").press("Enter")
            await ada.begin("/im")
            await page.keyboard.type(SLOW)
            await ada.option("steps", LONG)
            await ada.send()
            await expect(page.get_by_role("button", name="Cancel")).to_be_visible()
            await expect(page.locator(".message").last.locator(".gallery img")).to_have_count(
                1
            )  # its preview: it is painted
            assert await first.interrupt() == 0
            await expect(page.get_by_text("Easel has stopped; start it again.")).to_be_visible()
            assert "Traceback" not in "".join(first.said)
        async with easel(tmp_path, **QUICK) as second:
            assert second.url == first.url, "the open page finds it again"
            await expect(page.get_by_text("Easel has stopped; start it again.")).to_be_hidden()
            await expect(ada.cards(SLOW, count=4)).to_have_count(1)
            await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
            await ada.begin("/queue")
            await ada.send()
            await expect(page.get_by_text("Nothing of yours is waiting.")).to_be_visible()
            await expect(ada.cards(SLOW)).to_have_count(1)
            assert await second.interrupt() == 0
            assert "Traceback" not in "".join(second.said)


async def _paints(ada: Visitor) -> None:
    """/imagine by keyboard, with suggestions from the bot; the card is there at once, then four pictures."""
    page = ada.page
    await ada.begin("/im")
    await page.keyboard.type(APPLE)
    await ada.option("sampler", "euler a")
    await expect(page.get_by_role("option", name="Euler a", exact=True)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Tab")
    await expect(page.locator("[data-option=sampler]")).to_have_value("Euler a")
    await ada.send()
    await expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    await expect(ada.cards(APPLE, count=4)).to_have_count(1)
    await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    alt = await ada.cards(APPLE, count=4).locator("img").nth(1).get_attribute("alt")
    assert alt == f"{APPLE}, picture 2 of 4"
    await ada.begin("/im")
    await page.keyboard.type("a pink st")
    await expect(page.get_by_role("option", name="a pink st", exact=True)).to_have_attribute("aria-selected", "true")
    await ada.send()  # one Enter, although the unfinished word could go on
    await expect(ada.cards("a pink st", count=4)).to_have_count(1)
    width = await page.locator(".gallery img").first.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width >= 128


async def _goes_on(ada: Visitor) -> None:
    """One taken out and enlarged, one varied, the words edited in a form."""
    page, card = ada.page, ada.cards(APPLE, count=4).first
    await ada.press(card, "U2")
    single = ada.cards(APPLE, count=1)
    await expect(single).to_have_count(1)
    await ada.press(single.first, "Upscale")
    form = page.get_by_role("dialog", name="Make it larger")
    await expect(form.get_by_label("How large")).to_have_value("2x")
    await form.get_by_label("How large").focus()
    await page.keyboard.press("Control+Enter")
    await expect(form).to_have_count(0)
    await expect(single).to_have_count(2)
    await ada.press(card, "V3")
    await expect(ada.cards(APPLE, count=4)).to_have_count(2)
    await ada.press(card, "✏️")
    form = page.get_by_role("dialog", name="Edit and paint again")
    await expect(form.get_by_label("Prompt", exact=True)).to_have_value(APPLE)
    await form.get_by_label("Prompt", exact=True).fill("a green pear on a white background")
    await page.keyboard.press("Control+Enter")
    await expect(form).to_have_count(0)
    await expect(ada.cards("a green pear", count=4)).to_have_count(1)


async def _finds_them_again(ada: Visitor) -> None:
    """✉️ brings the PNGs to the conversation; /gallery pages through everything there."""
    page = ada.page
    card = ada.cards(APPLE, count=4).first
    await card.focus()
    await card.get_by_role("button", name="Add a reaction").press("Enter")
    await page.get_by_role("button", name="✉️ Send me the pictures").press("Enter")
    await page.get_by_role("button", name="Conversation with Easel, 1 unread").press("Enter")
    await expect(ada.cards(APPLE, count=4)).to_have_count(1)
    await ada.begin("/gallery open")
    await ada.send()
    await page.get_by_role("button", name="Recent").press("Enter")
    await expect(page.get_by_text("page 1 of 2")).to_be_visible()
    await page.get_by_role("button", name="▶️").press("Enter")
    await expect(page.get_by_text("page 2 of 2")).to_be_visible()
    await page.get_by_role("combobox", name="Open a picture by its number").press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Back", exact=True)).to_be_visible()
