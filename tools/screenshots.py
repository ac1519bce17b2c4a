"""The pictures of the README: `python -m tools.screenshots` starts Easel as it ships and photographs its page.

Owns what is asked for, the order of the scenes and the pictures' size. Needs Chromium, like the page's tests; takes a few
minutes of painting on two cores. Nothing is drawn by hand: what the pictures show is what Easel did.
"""

import argparse
import asyncio
import io
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.visit import PATIENCE, Visitor, chromium, easel

OUT: Final = Path(__file__).resolve().parent.parent / "docs" / "pictures"
LIMIT: Final = 300 * 1000
"""Bytes of one picture at most."""
DESKTOP: Final = {"width": 1180, "height": 820}
PHONE: Final = {"width": 390, "height": 844}
CARD: Final = "a red apple on a blue background"
MORE: Final = ("a yellow star on a black background", "a green tree on a white background")


async def main(out: Path, *, steps: int) -> None:
    """Go through the scenes and write `card`, `queue`, `picker`, `form`, `gallery`, `phone` as PNG into `out`."""
    expect.set_options(timeout=PATIENCE * 1000)
    with tempfile.TemporaryDirectory() as data:
        async with easel(Path(data), EASEL_GENERATION__STEPS=str(steps)) as running, chromium() as browser:
            ada = await _visitor(browser, running.url, DESKTOP)
            await _picker(ada, out)
            await _queue_and_card(ada, out)
            await _form(ada, out)
            await _gallery(ada, out)
            await ada.page.context.close()
            ada = await _visitor(browser, running.url, PHONE)
            await _top(ada.cards(CARD, count=4).first)
            await _keep(ada.page, out / "phone.png")


async def _visitor(browser: Browser, url: str, size: dict[str, int]) -> Visitor:
    """Somebody who has been here before, at a screen of that size (CSS pixels)."""
    context = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark",
        reduced_motion="reduce",
        has_touch=size is PHONE,
    )
    await context.add_init_script("localStorage.setItem('easel-hint-seen', 'yes')")
    visitor = Visitor(await context.new_page())
    await visitor.arrive(url)
    return visitor


async def _picker(ada: Visitor, out: Path) -> None:
    """Filling in /imagine, with the bot's suggestions for the sampler."""
    await ada.begin("/im")
    await ada.page.keyboard.type(CARD)
    await ada.option("sampler", "dpm")
    await expect(ada.page.get_by_role("option").nth(4)).to_be_visible()
    await _keep(ada.page, out / "picker.png")
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_role("option")).to_have_count(0)
    await ada.page.keyboard.press("Escape")
    await expect(ada.box).to_be_focused()


async def _queue_and_card(ada: Visitor, out: Path) -> None:
    """Others' pictures first, so that the channel is not bare; then the card while it is painted and when it is done."""
    for prompt in MORE:
        await _imagine(ada, prompt)
        await expect(ada.cards(prompt, count=4)).to_have_count(1)
    await _imagine(ada, CARD)
    queued = ada.page.locator(".message").filter(has=ada.page.get_by_role("button", name="Cancel"))
    await expect(queued.locator(".gallery img")).to_have_count(1)
    await _keep(ada.page, out / "queue.png")
    await expect(ada.cards(CARD, count=4)).to_have_count(1)
    await expect(queued).to_have_count(0)
    await _top(ada.cards(CARD, count=4).first)
    await _keep(ada.page, out / "card.png")


async def _form(ada: Visitor, out: Path) -> None:
    """✏️ under the card."""
    await ada.press(ada.cards(CARD, count=4).first, "✏️")
    await expect(ada.page.get_by_role("dialog")).to_be_visible()
    await _keep(ada.page, out / "form.png")
    await ada.page.keyboard.press("Escape")


async def _gallery(ada: Visitor, out: Path) -> None:
    """/gallery in the conversation with Easel."""
    await ada.page.locator("[data-channel=dm]").press("Enter")
    await expect(ada.page.get_by_role("heading", name="Easel", exact=True).first).to_be_visible()
    await ada.begin("/gallery open")
    await ada.send()
    await ada.page.get_by_role("button", name="Recent").press("Enter")
    await expect(ada.page.get_by_text("page 1 of 2")).to_be_visible()
    await expect(ada.page.locator(".message").last.locator(".gallery img")).to_have_count(1)
    await ada.box.focus()
    await _keep(ada.page, out / "gallery.png")


async def _imagine(ada: Visitor, prompt: str) -> None:
    await ada.begin("/im")
    await ada.page.keyboard.type(prompt)
    await ada.send()


async def _top(card: Locator) -> None:
    """Scroll so that the card begins at the top."""
    await card.evaluate("element => element.scrollIntoView({block: 'start'})")


async def _keep(page: Page, path: Path) -> None:
    """Photograph the page, without the mouse, in at most `LIMIT` bytes: where it needs them, in 256 colours."""
    await page.mouse.move(0, 0)
    await page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
    data = await page.screenshot()
    small = _small(data)
    await asyncio.to_thread(path.write_bytes, small)
    print(f"{path.name}: {len(small) // 1000} kB")


def _small(data: bytes) -> bytes:
    """A PNG again, in 256 colours where it would be more than `LIMIT` otherwise."""
    with Image.open(io.BytesIO(data)) as picture:
        colours = picture.convert("RGB")
    small = io.BytesIO()
    colours.save(small, "PNG", optimize=True)
    if small.tell() > LIMIT:
        small = io.BytesIO()
        colours.quantize(256).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.out, steps=given.steps))
