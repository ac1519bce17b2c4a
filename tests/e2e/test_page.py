"""The sandbox's page in a real browser, by keyboard, with a real discord.py client behind it."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bot.sandbox.clock import ShiftedClock
from bot.sandbox.conformance import Conformance
from bot.sandbox.driver import Person
from bot.sandbox.page.page import mount
from bot.sandbox.server import Loopback
from tests.e2e.browser import find_browser
from tests.e2e.conftest import Connect
from tests.e2e.page_bot import PageBot, painting
from tests.e2e.small_bot import SmallBot

pytestmark = pytest.mark.page

Look = Callable[..., Awaitable[Page]]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


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
async def bot(connect: Connect) -> PageBot:
    """The bot, ready."""
    client = PageBot()
    await connect(client)
    return client


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """The machine's own Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def look(loopback: Loopback, browser: Browser) -> AsyncIterator[Look]:
    """Opens the page; afterwards nothing must have failed in it, and nothing been asked from another machine."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    async def open_page(*, size: dict[str, int] = LAPTOP, scheme: str = "dark", hint: bool = False) -> Page:
        context = await browser.new_context(
            viewport=size, color_scheme=scheme, has_touch=size is PHONE, reduced_motion="reduce"
        )
        contexts.append(context)
        if not hint:
            await context.add_init_script("localStorage.setItem('easel-hint-seen', 'yes')")
        page = await context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith((loopback.urls.base, "data:", "blob:")) else faults.append(r.url),
        )
        await page.goto(loopback.urls.page)
        await expect(page.locator("#app[data-state=ready]")).to_be_attached()
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def shoot(tmp_path: Path) -> Callable[[Page, str], Awaitable[None]]:
    """Keeps what the page looks like, in EASEL_SCREENSHOTS where that is set."""
    folder = Path(os.environ.get("EASEL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    async def take(page: Page, name: str) -> None:
        await page.screenshot(path=folder / f"{name}.png")

    return take


async def imagine(page: Page, bot: PageBot, *, prompt: str = "a red apple on a blue ground") -> None:
    """Ask for four pictures, by keyboard, and wait until they are there."""
    for gate in bot.gates:
        gate.set()
    await expect(page.locator("#app[data-commands='5']")).to_be_attached()
    await page.get_by_label("Message", exact=True).focus()
    await page.keyboard.type("/im")
    await page.keyboard.press("Tab")
    await page.keyboard.type(prompt)
    await page.keyboard.press("Enter")
    await expect(page.locator(".gallery img")).to_have_count(4)
    await expect(page.get_by_text("Painting…")).to_have_count(0)


async def reach(page: Page, name: str) -> None:
    """Move with Tab, backwards, until the focus is on what has that name."""
    for _ in range(60):
        await page.keyboard.press("Shift+Tab")
        if name in await page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        ):
            return
    raise AssertionError(f"Tab does not reach {name}")


async def test_a_picture_from_slash_to_card_by_keyboard(bot: PageBot, look: Look, shoot) -> None:
    """Somebody without a mouse finds the command, fills options with live suggestions, and sees the job wait, grow and end."""
    page = await look()
    await expect(page.locator("#app[data-commands='5']")).to_be_attached()
    await page.get_by_label("Message", exact=True).focus()
    await page.keyboard.type("/im")
    await expect(page.get_by_role("option", name="/imagine")).to_have_attribute("aria-selected", "true")
    await shoot(page, "picker")
    await page.keyboard.press("Enter")
    await page.keyboard.type("two cats")
    await page.keyboard.press("Tab")
    await page.keyboard.type("sampl")
    await page.keyboard.press("Tab")
    await page.keyboard.type("dpm")
    await expect(page.get_by_role("option")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await shoot(page, "options")
    await page.keyboard.press("Tab")
    await page.keyboard.type("steps")
    await page.keyboard.press("Tab")
    await page.keyboard.type("900")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("steps must be from 1 to 150.")
    for _ in range(3):
        await page.keyboard.press("Backspace")
    await page.keyboard.type("30")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Position 1")).to_be_visible()
    await shoot(page, "queued")
    bot.gates[0].set()
    await expect(page.get_by_text("40 %")).to_be_visible()
    bot.gates[1].set()
    await expect(page.locator(".gallery img")).to_have_count(4)
    await expect(page.get_by_text("40 %")).to_have_count(0)
    assert bot.given == {
        "prompt": "two cats",
        "steps": 30,
        "sampler": "DPM++ 2M Karras",
        "start": None,
        "private": False,
    }
    await shoot(page, "card")


async def test_buttons_forms_and_private_answers_by_keyboard(bot: PageBot, look: Look, shoot) -> None:
    """The pencil opens a form that is filled without a mouse; its private answer is seen by one person and put away."""
    page = await look()
    await imagine(page, bot)
    await reach(page, "✏️")
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Edit the prompt")
    await expect(form).to_be_visible()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("three apples")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await shoot(page, "form")
    picture = painting(0).fp.read()
    await form.locator("input[type=file]").set_input_files(
        {"name": "in.png", "mimeType": "image/png", "buffer": picture}
    )
    await page.keyboard.press("Control+Enter")
    await expect(form).to_have_count(0)
    await expect(page.get_by_text(f"three apples · ['Euler a'] · new · [{len(picture)}]")).to_be_visible()
    await page.get_by_role("button", name="Dismiss message").press("Enter")
    await expect(page.get_by_text("Only you can see this")).to_have_count(0)


async def test_a_reaction_brings_the_pictures_by_direct_message(bot: PageBot, look: Look, shoot) -> None:
    """✉️ is the first emoji offered; the conversation shows its unread mark, opens, and /gallery works there."""
    page = await look()
    await imagine(page, bot)
    await page.locator(".message").last.focus()
    await page.keyboard.press("Tab")
    await reach_tool(page, "Add a reaction")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Choose an emoji")).to_be_visible()
    await shoot(page, "emoji")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="✉️, 1 reaction")).to_have_attribute("aria-pressed", "true")
    conversation = page.get_by_role("button", name="Conversation with Easel, 1 unread")
    await conversation.press("Enter")
    await expect(page.get_by_text("Your pictures, seed 1234")).to_be_visible()
    await expect(page.locator(".gallery img")).to_have_count(4)
    await page.keyboard.type("/gal")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your gallery")).to_be_visible()
    await shoot(page, "conversation")


async def test_the_first_conversation_opens_where_it_is_pressed(bot: PageBot, look: Look) -> None:
    """Easel under the direct messages opens, although nothing was ever said there."""
    page = await look()
    await page.locator("[data-channel=dm]").press("Enter")
    await expect(page.get_by_role("heading", name="Easel", exact=True).first).to_be_visible()


async def reach_tool(page: Page, name: str) -> None:
    """Move with Tab until the focus is on the newest message's tool of that name."""
    for _ in range(60):
        if await page.evaluate("document.activeElement.getAttribute('aria-label')") == name:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


async def test_options_take_files_and_yes_or_no(bot: PageBot, look: Look, shoot) -> None:
    """A file option takes a picture, a switch takes True from its list, and both reach the bot as they are."""
    page = await look()
    for gate in bot.gates:
        gate.set()
    await expect(page.locator("#app[data-commands='5']")).to_be_attached()
    await page.get_by_label("Message", exact=True).focus()
    await page.keyboard.type("/imagine")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a pear")
    await page.keyboard.press("Tab")
    await page.keyboard.type("start")
    await page.keyboard.press("Tab")
    picture = painting(2).fp.read()
    await page.locator("[data-option=start]").set_input_files(
        {"name": "in.png", "mimeType": "image/png", "buffer": picture}
    )
    await expect(page.locator(".pill-file")).to_have_text("in.png")
    await page.get_by_label("Add an option").focus()
    await page.keyboard.type("priv")
    await page.keyboard.press("Tab")
    await page.keyboard.type("t")
    await page.keyboard.press("Tab")
    await shoot(page, "pills")
    await page.keyboard.press("Enter")
    await expect(page.locator(".gallery img")).to_have_count(4)
    assert (bot.given["start"], bot.given["private"]) == (picture, True)


async def test_what_people_write_is_never_markup(bot: PageBot, look: Look) -> None:
    """Tags in a message are words; Discord's markdown is drawn; nothing that was written runs."""
    page = await look()
    await page.get_by_label("Message", exact=True).fill(
        "<img src=x onerror=alert(1)> **bold** `<b>code</b>` ||hidden|| [site](https://example.org) javascript:alert(1)"
    )
    await page.keyboard.press("Enter")
    message = page.locator(".message").last
    await expect(message.locator("strong")).to_have_text("bold")
    await expect(message.locator("code")).to_have_text("<b>code</b>")
    await expect(message.locator(".content")).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(message.locator("img")).to_have_count(0)
    await expect(message.locator("a")).to_have_count(1)
    spoiler = message.get_by_role("button", name=re.compile("Spoiler"))
    await spoiler.press("Enter")
    await expect(message.locator(".spoiler[data-shown]")).to_have_text("hidden")


async def test_a_message_menu_offers_the_bots_commands(bot: PageBot, look: Look) -> None:
    """Apps in a message's menu are reached by keyboard and answered."""
    page = await look()
    await page.get_by_label("Message", exact=True).fill("look at this")
    await page.keyboard.press("Enter")
    await page.locator(".message").last.get_by_role("button", name="More and apps").press("Enter")
    await page.get_by_role("menuitem", name="Image info").press("Enter")
    await expect(page.get_by_text(re.compile(r"about \d+"))).to_be_visible()


async def test_an_application_that_does_not_answer(
    bot: PageBot, look: Look, ada: Person, clock: ShiftedClock, shoot
) -> None:
    """After Discord's three seconds the page says in place of the answer that there was none."""
    page = await look()
    await expect(page.locator("#app[data-commands='5']")).to_be_attached()
    await page.get_by_label("Message", exact=True).focus()
    await page.keyboard.type("/silent")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await ada.wait_for(lambda event: event["type"] == "interaction" and event["state"] == "sent")
    clock.advance(3)
    await expect(page.get_by_role("alert")).to_have_text("The application did not respond")
    await shoot(page, "silent")


async def test_a_button_that_is_not_answered(bot: PageBot, look: Look, ada: Person, clock: ShiftedClock) -> None:
    """A pressed button is busy until the bot answers; without an answer the message says that the interaction failed."""
    page = await look()
    await imagine(page, bot)
    button = page.locator("[data-cid='do:mute']")
    await button.press("Enter")
    await expect(button).to_have_attribute("aria-busy", "true")
    await ada.wait_for(lambda event: event["type"] == "interaction" and event["custom_id"] == "do:mute")
    clock.advance(3)
    await expect(page.get_by_role("alert")).to_have_text("This interaction failed")
    await expect(button).not_to_have_attribute("aria-busy", "true")


async def test_menus_in_messages_and_replies(connect: Connect, look: Look, ada: Person) -> None:
    """A menu under a message is opened, moved in and chosen from by keyboard; a reply shows what it answers."""
    await connect(SmallBot())
    page = await look()
    await (await ada.slash("paint", "#paint", prompt="a cat")).answered()
    menu = page.locator("[data-cid=scale]")
    await menu.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("option", name="2x")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator(".content")).to_contain_text("scaled 2x")
    await page.get_by_role("button", name="Reply").press("Enter")
    await page.keyboard.type("good")
    await page.keyboard.press("Enter")
    await expect(page.locator(".cause-jump")).to_have_text("scaled 2x")
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    await expect(page.get_by_text("The original message was deleted")).to_be_visible()


async def test_another_person_sees_another_screen(bot: PageBot, look: Look) -> None:
    """Switching to Ben shows Ben's screen: no private answers of Ada's, and messages under his name."""
    page = await look()
    await imagine(page, bot)
    await page.locator("[data-cid='do:U1']").press("Enter")
    await expect(page.get_by_text("U1 it is")).to_be_visible()
    await page.locator("#self").press("Enter")
    await page.get_by_role("menuitemradio", name="Ben").press("Enter")
    await expect(page.get_by_role("button", name="You are Ben. Be somebody else")).to_be_visible()
    await expect(page.get_by_text("U1 it is")).to_have_count(0)
    await expect(page.locator(".gallery img")).to_have_count(4)


async def test_a_picture_opens_large(bot: PageBot, look: Look) -> None:
    """A picture is opened with Enter, its neighbours with arrow keys, and Escape gives the focus back."""
    page = await look()
    await imagine(page, bot)
    await page.locator(".picture").first.press("Enter")
    large = page.get_by_role("dialog", name="Picture")
    await expect(large.locator("img")).to_have_attribute("alt", re.compile("picture 1 of 4"))
    await page.keyboard.press("ArrowRight")
    await expect(large.locator("img")).to_have_attribute("alt", re.compile("picture 2 of 4"))
    await page.keyboard.press("Escape")
    await expect(large).to_have_count(0)


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_it_fits_a_phone(bot: PageBot, look: Look, shoot, scheme: str) -> None:
    """On a phone nothing is wider than the screen, and channels open in a drawer that Escape closes."""
    page = await look(size=PHONE, scheme=scheme, hint=True)
    await shoot(page, f"phone-{scheme}-first")
    await page.get_by_role("button", name="Put this card away").click()
    await imagine(page, bot)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shoot(page, f"phone-{scheme}-card")
    await page.get_by_role("button", name="Channels").click()
    await expect(page.locator("[data-channel=gallery]")).to_be_in_viewport(ratio=1)
    await shoot(page, f"phone-{scheme}-drawer")
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-channel=gallery]")).not_to_be_in_viewport()


async def test_a_newcomer_is_told_what_to_try(bot: PageBot, look: Look, shoot) -> None:
    """The first visit shows a card whose button begins /imagine; it does not come back."""
    page = await look(hint=True, scheme="light")
    await expect(page.locator("#app[data-commands='5']")).to_be_attached()
    await shoot(page, "first-light")
    await page.get_by_role("button", name="Try /imagine").press("Enter")
    await expect(page.get_by_role("option", name="/imagine")).to_be_visible()
    await page.reload()
    await expect(page.locator("#app[data-state=ready]")).to_be_attached()
    await expect(page.get_by_role("button", name="Try /imagine")).to_have_count(0)


async def test_the_page_comes_back_with_the_program(browser: Browser, tmp_path: Path) -> None:
    """When the program stops the page says so, and is there again, with its messages, when it was started again."""
    first = Loopback(folder=tmp_path, mounts=[mount])
    urls = await first.start()
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(urls.page)
    await page.get_by_label("Message", exact=True).fill("still here")
    await page.keyboard.press("Enter")
    await expect(page.locator(".content")).to_have_text("still here")
    await first.stop()
    await expect(page.get_by_text("Easel has stopped; start it again.")).to_be_visible()
    second = Loopback(folder=tmp_path, mounts=[mount])
    again = await second.start()
    assert again.page == urls.page
    await expect(page.get_by_text("Easel has stopped; start it again.")).to_be_hidden()
    await expect(page.locator(".content")).to_have_text("still here")
    await context.close()
    await second.stop()


async def test_the_page_lets_only_itself_in(loopback: Loopback) -> None:
    """Without the key, from another origin, or from no page at all, there is no page, no websocket and no upload."""
    base = loopback.urls.base
    cookies = {f"easel_{base.rsplit(':', 1)[1]}": loopback.secret}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        for headers in ({}, {"Origin": "http://evil.example"}):
            assert (await session.get(f"{base}/socket", headers=headers)).status == 403
            assert (await session.post(f"{base}/upload", headers=headers, data=b"x")).status == 403
        assert (await session.get(f"{base}/", headers={"Host": "evil.example"})).status == 403
        answer = await session.get(f"{base}/")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert (await session.get(f"{base}/static/../page.py")).status == 404
    async with aiohttp.ClientSession() as stranger:
        assert (await stranger.get(f"{base}/")).status == 403
        assert (await stranger.get(f"{base}/socket", headers={"Origin": base})).status == 403


async def test_two_windows_of_one_person_show_the_same(bot: PageBot, look: Look, ada: Person) -> None:
    """Two pages of one person stay the same: what is written in one appears in the other."""
    one, other = await asyncio.gather(look(), look())
    await one.get_by_label("Message", exact=True).fill("hello, other window")
    await one.keyboard.press("Enter")
    await expect(other.locator(".content")).to_have_text("hello, other window")
