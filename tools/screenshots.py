"""The pictures of the README: `python -m tools.screenshots` starts Easel as it ships and photographs its page.

Owns what is asked for, the order of the scenes and the pictures' size. Needs Chromium, like the page's tests; takes a few
minutes of painting on two cores. Nothing is drawn by hand: what the pictures show is what Easel did. No LoRA and no ControlNet
ships, so those of the pickers are made up here, of random numbers: what LoRAs do to a picture is seen, and means nothing; of the
ControlNet only the card before painting is shown.
"""

import argparse
import asyncio
import io
import json
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect
from safetensors.numpy import save_file

from bot.settings import PROJECT
from tests.controls import tiny_controlnet, write_controlnet
from tests.e2e.visit import PATIENCE, Visitor, chromium, easel

OUT: Final = Path(__file__).resolve().parent.parent / "docs" / "pictures"
LIMIT: Final = 300 * 1000
"""Bytes of one picture at most."""
DESKTOP: Final = {"width": 1180, "height": 820}
PHONE: Final = {"width": 390, "height": 844}
CARD: Final = "a red apple on a blue background"
MORE: Final = ("a yellow star on a black background", "a green tree on a white background")
LONG: Final = "150"
"""Steps of the card that is photographed while it is painted: cards are edited each five seconds, and fewer steps take less."""
LORAS: Final = {"grain": 0.6, "melt": 1.2, "tint": 0.9}
"""Made-up LoRAs and how strong each is."""
BLOCKS: Final = {"input_blocks_3_1": 64, "input_blocks_5_1": 128, "output_blocks_0_1": 128, "output_blocks_3_1": 64}
"""Blocks of the shipped painter that they change, and their channels; its text has 128."""


async def main(out: Path, *, steps: int) -> None:
    """Go through the scenes and write a PNG of each into `out`."""
    expect.set_options(timeout=PATIENCE * 1000)
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as models:
        _make_up_loras(Path(models) / "Lora")
        _make_up_control(Path(models) / "ControlNet" / "edges_canny.safetensors")
        more = {
            "EASEL_GENERATION__STEPS": str(steps),
            "EASEL_LIMITS__MAX_STEPS": LONG,
            "EASEL_PATHS__EXTRA_MODELS": json.dumps([models]),
        }
        async with easel(Path(data), **more) as running, chromium() as browser:
            ada = await _visitor(browser, running.url, DESKTOP)
            await _picker(ada, out)
            await _queue_and_card(ada, out)
            await _form(ada, out)
            await _style(ada, out)
            await _control(ada, out)
            await _loras(ada, out)
            await _plot(ada, out)
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
    await ada.begin("/im")
    await ada.page.keyboard.type(CARD)
    await ada.option("steps", LONG)
    await ada.send()
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


async def _style(ada: Visitor, out: Path) -> None:
    """A style is saved, and one is chosen while /imagine is filled in."""
    for name, prompt in (("Night", "{prompt}, night sky"), ("Poster", "a flat {prompt} on a yellow background")):
        await ada.begin("/style save")
        await ada.page.keyboard.type(name)
        await ada.option("prompt", prompt)
        await ada.send()
        await expect(ada.page.get_by_text(name).last).to_be_visible()
    await ada.begin("/style list")
    await ada.send()
    await expect(ada.page.locator(".message").last).to_contain_text("Poster")
    await _keep(ada.page, out / "style.png")


async def _control(ada: Visitor, out: Path) -> None:
    """/control with the first picture of the card, to the card with the map of its edges."""
    first = ada.cards(CARD, count=4).first.locator(".gallery img").first
    picture = await (await ada.page.request.get(await first.evaluate("image => image.src"))).body()
    await ada.begin("/control")
    await ada.page.locator("[data-option=picture]").set_input_files(
        {"name": "apple.webp", "mimeType": "image/webp", "buffer": picture}
    )
    await ada.page.locator("[data-option=prompt]").focus()
    await ada.page.keyboard.type("a yellow lemon on a red background")
    for option, value in (("kind", "canny"), ("resolution", "256"), ("threshold_a", "20"), ("threshold_b", "60")):
        await ada.option(option, value)
    await ada.page.keyboard.press("Tab")
    await ada.send()
    card = ada.page.locator(".message").filter(has=ada.page.get_by_role("button", name="Use another picture"))
    await expect(card.locator(".gallery img")).to_have_count(1)
    await _top(card)
    await _keep(ada.page, out / "control.png")


async def _loras(ada: Visitor, out: Path) -> None:
    """The shelf of LoRAs: a sample of each is painted, and two are taken."""
    for number in range(len(LORAS)):
        page = await _browse(ada)
        await page.get_by_role("combobox", name="Open one by its number").press("ArrowDown")
        for _ in range(number):
            await ada.page.keyboard.press("ArrowDown")
        await ada.page.keyboard.press("Enter")
        done = ada.page.locator(".message").filter(has=ada.page.get_by_role("button", name="🔄", exact=True))
        before = await done.count()
        await ada.page.get_by_role("button", name="Paint a sample").last.press("Enter")
        await expect(done).to_have_count(before + 1)
    page = await _browse(ada)
    await page.get_by_role("combobox", name="Take LoRAs of this page").press("ArrowDown")
    for key in ("Enter", "ArrowDown", "Enter", "Escape"):
        await ada.page.keyboard.press(key)
    await expect(page.get_by_role("button", name="Paint with these")).to_be_visible()
    await _top(page)
    await _keep(ada.page, out / "loras.png")


async def _browse(ada: Visitor) -> Locator:
    """The first page of /lora browse."""
    await ada.begin("/lora browse")
    await ada.send()
    page = ada.page.locator(".message").filter(has=ada.page.get_by_role("button", name="Look again")).last
    await expect(page).to_be_visible()
    return page


async def _plot(ada: Visitor, out: Path) -> None:
    """/plot over two axes, agreed to on its card, to the grid and the menu of its cells."""
    await ada.begin("/plot")
    for typed in ("a red apple on a blue background", "Prompt S/R", "red apple, yellow star, pink cup"):
        await ada.page.keyboard.type(typed)
        await ada.page.keyboard.press("Tab")  # what is required is asked for one after the other
    await ada.page.keyboard.press("Shift+Tab")
    for option, value in (("y_axis", "Steps"), ("y_values", "3, 8, 20"), ("seed", "7")):
        await ada.option(option, value)
    await ada.send()
    await ada.page.get_by_role("button", name="Paint 9 cells").press("Enter")
    done = ada.page.locator(".message").filter(has=ada.page.get_by_role("combobox", name="Open a picture"))
    await expect(done).to_have_count(1)
    await _top(done.last)
    await _keep(ada.page, out / "plot-card.png")


async def _gallery(ada: Visitor, out: Path) -> None:
    """/gallery in the conversation with Easel."""
    await ada.page.locator("[data-channel=dm]").press("Enter")
    await expect(ada.page.get_by_role("heading", name="Easel", exact=True).first).to_be_visible()
    await ada.begin("/gallery open")
    await ada.send()
    await ada.page.get_by_role("button", name="Recent").press("Enter")
    await expect(ada.page.get_by_text("page 1 of")).to_be_visible()
    await expect(ada.page.locator(".message").last.locator(".gallery img")).to_have_count(1)
    await ada.box.focus()
    await _keep(ada.page, out / "gallery.png")


async def _imagine(ada: Visitor, prompt: str) -> None:
    await ada.begin("/im")
    await ada.page.keyboard.type(prompt)
    await ada.send()


def _make_up_control(path: Path) -> None:
    """A ControlNet for the shipped painter."""
    beside = next((PROJECT / "models" / "Stable-diffusion").glob("*.json"))
    write_controlnet(path, tiny_controlnet(config=json.loads(beside.read_text("utf-8"))["unet"]))


def _make_up_loras(folder: Path) -> None:
    """Files in kohya's form, rank 4, over the cross attention of the shipped painter."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(7)
    for name, strength in LORAS.items():
        tensors: dict[str, np.ndarray] = {}
        for block, channels in BLOCKS.items():
            key = f"lora_unet_{block}_transformer_blocks_0_attn2_to_v"
            tensors[f"{key}.lora_down.weight"] = draw.normal(0, 0.1, (4, 128)).astype(np.float32)
            tensors[f"{key}.lora_up.weight"] = draw.normal(0, strength, (channels, 4)).astype(np.float32)
            tensors[f"{key}.alpha"] = np.array(4, np.float32)
        save_file(tensors, folder / f"{name}.safetensors", {"ss_tag_frequency": json.dumps({"1": {name: 10}})})


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
