"""The loopback Discord, driven by people on one side and the unmodified discord.py client on the other, over sockets."""

import asyncio

import discord
import pytest
from discord.gateway import DiscordWebSocket

from bot.sandbox.clock import ShiftedClock
from bot.sandbox.driver import Person
from bot.sandbox.faults import on
from bot.sandbox.forms import Refused
from bot.sandbox.model import COMPONENTS_V2, EPHEMERAL, Overwrite
from bot.sandbox.permissions import SEND_MESSAGES
from bot.sandbox.server import Loopback
from tests.e2e.conftest import Connect
from tests.e2e.small_bot import PNG, SmallBot, card, picture


@pytest.fixture
async def bot(connect: Connect) -> SmallBot:
    """The small bot, ready."""
    client = SmallBot()
    await connect(client)
    return client


async def painted(person: Person) -> dict:
    """A picture that the bot painted for that person in #paint."""
    return await (await person.slash("paint", "#paint", prompt="a cat")).answered()


async def test_the_client_becomes_ready_and_its_commands_are_registered(bot: SmallBot, ada: Person) -> None:
    """discord.py logs in, learns the server and registers its commands, which people then find."""
    assert [channel.name for channel in bot.guilds[0].text_channels] == ["paint", "gallery", "off-topic", "after-dark"]
    assert {c["name"] for c in ada.commands("#paint")} == {"paint", "card", "silent", "style", "Reuse"}
    assert ada.view()["bot"]["online"]


async def test_a_deferred_command_becomes_a_picture(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """Options arrive, "thinking…" is shown, and the edit brings text, file, embed and buttons."""
    file = ada.upload(PNG, "start.png")
    exchange = await ada.slash("paint", "#paint", prompt="a dog", steps=30, start=file)
    message = await exchange.answered()
    assert message["content"] == f"a dog 30 Euler a {len(PNG)}"
    attachment = message["attachments"][0]
    assert (attachment["width"], attachment["height"], attachment["description"]) == (2, 3, "two by three pixels")
    assert message["embeds"][0]["image"]["url"] == attachment["url"]
    assert attachment["url"].startswith(loopback.urls.cdn)
    first = await ada.wait_for(lambda event: event["type"] == "message_create")
    assert first["message"]["flags"] & 128


async def test_suggestions_come_while_typing(bot: SmallBot, ada: Person) -> None:
    """Autocomplete asks the bot with what is typed so far."""
    choices = await ada.autocomplete("paint", "#paint", "sampler", "dpm", prompt="x")
    assert [choice["value"] for choice in choices] == ["DPM++ 2M", "DPM++ 2M Karras", "DPM++ SDE"]


async def test_a_form_is_opened_filled_in_and_answered(bot: SmallBot, ada: Person) -> None:
    """A button opens a modal; its text, menu and file reach the bot, which answers the submit."""
    message = await painted(ada)
    form = await ada.click(message, "Edit")
    assert form.state == "modal"
    assert form.modal["title"] == "Edit prompt"
    answer = await ada.submit(form, {"prompt": "two cats", "size": ["768"], "start": [("in.png", PNG)]})
    assert (await answer.answered())["content"] == f"two cats ['768'] {len(PNG)}"
    kept = await ada.submit(await ada.click(message, "Edit"))
    assert (await kept.answered())["content"] == "a cat [] 0"


async def test_a_bot_that_does_not_answer(bot: SmallBot, ada: Person, clock: ShiftedClock) -> None:
    """After three seconds without an answer the person is told so, in Discord's words."""
    asking = asyncio.create_task(ada.slash("silent", "#paint"))
    await ada.wait_for(lambda event: event["type"] == "interaction")
    clock.advance(3)
    exchange = await asking
    assert (exchange.state, exchange.error) == ("failed", "The application did not respond")
    with pytest.raises(Refused, match="did not respond"):
        await exchange.answered()


async def test_buttons_and_menus(bot: SmallBot, ada: Person, ben: Person) -> None:
    """A follow-up, an edit in place, a dynamic button pressed by somebody else, and a deletion."""
    message = await painted(ada)
    await ada.click(message, "🔁")
    again = await ada.wait_for_message("#paint", lambda m: m["content"] == "again")
    assert again["attachments"][0]["filename"] == "again.png"
    await ada.select(message, "scale", ["2"])
    assert ada.message(message)["content"] == "scaled 2x"
    kept = await ben.click(message, "keep:7")
    assert kept.message["content"] == "kept 7"
    assert ada.message(kept.message) is None
    await ada.click(message, "Delete")
    await ada.until(lambda: ada.message(message) is None)


async def test_a_card_of_components_v2(bot: SmallBot, ada: Person) -> None:
    """A layout with a gallery is shown with resolved media and numbered parts, and its buttons work after that."""
    exchange = await ada.slash("card", "#paint")
    message = exchange.message
    assert message["flags"] & COMPONENTS_V2
    assert message["attachments"] == []
    container = message["components"][0]
    media = container["components"][1]["items"][0]["media"]
    assert media["url"].startswith("http://127.0.0.1")
    assert media["width"] == 2
    ids = [container["id"], *(part["id"] for part in container["components"])]
    assert len(set(ids)) == 4
    assert (await ada.click(message, "keep:2")).message["content"] == "kept 2"


async def test_a_private_answer_is_seen_by_one_person(bot: SmallBot, ada: Person, ben: Person) -> None:
    """An ephemeral defer keeps its answer private, nobody can react to it, and it can be put away."""
    message = await (await ada.slash("paint", "#paint", prompt="x", private=True)).answered()
    assert message["flags"] & EPHEMERAL
    assert ben.messages("#paint") == []
    with pytest.raises(Refused):
        ada.react(message, "👍")
    ada.dismiss(message)
    assert ada.messages("#paint") == []


async def test_subcommands_and_context_menus(bot: SmallBot, ada: Person) -> None:
    """`/style save` and a message command reach their handlers."""
    assert (await ada.slash("style save", "#paint", name="ink")).message["content"] == "saved ink"
    said = ada.say("#paint", "a green cat")
    assert (await ada.message_menu(said, "Reuse")).message["content"] == "reuse a green cat"


async def test_reactions_reach_the_bot(bot: SmallBot, ada: Person, ben: Person) -> None:
    """❌ makes the bot delete its message; others see a reaction at once."""
    message = await painted(ada)
    ben.react(message, "⭐")
    seen = await ada.wait_for(lambda event: event["type"] == "reactions")
    assert (seen["reactions"][0]["emoji"]["name"], seen["reactions"][0]["me"]) == ("⭐", False)
    ada.react(message, "❌")
    await ada.until(lambda: ada.message(message) is None)
    assert [await bot.heard.get(), await bot.heard.get()] == [("reaction", "⭐"), ("reaction", "❌")]


async def test_direct_messages(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """The bot sends the picture itself to a person who can answer there; closed direct messages are error 50007."""
    message = await painted(ada)
    assert (await ada.click(message, "Send")).message["content"] == "sent"
    direct = ada.open_dm()
    attachment = ada.last(direct)["attachments"][0]
    assert loopback.world.shelf.get(attachment["id"]) == PNG
    ada.say(direct, "thanks")
    answer = await ada.wait_for_message(direct, lambda m: m["content"] == "you said thanks")
    assert answer["author"]["bot"]
    ada.accept_direct_messages(accepted=False)
    assert (await ada.click(message, "Send")).message["content"] == "no: 50007"


async def test_without_the_intent_nobody_listens_in(bot: SmallBot, ada: Person) -> None:
    """What people say in a channel does not reach a bot that did not ask for messages."""
    ada.say("#paint", "between us")
    direct = ada.open_dm()
    ada.say(direct, "to you")
    assert await bot.heard.get() == ("message", "to you")


async def test_a_lost_socket_is_resumed_with_what_was_missed(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """After a drop discord.py resumes its session and hears what was said meanwhile."""
    direct = ada.open_dm()
    loopback.gateway.drop()
    await ada.wait_for(lambda event: event == {"type": "bot", "online": False})
    ada.say(direct, "missed")
    assert await asyncio.wait_for(bot.heard.get(), 10) == ("message", "missed")
    assert len(loopback.gateway.sessions) == 1


async def test_a_reconnect_order_is_followed(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """Opcode 7 makes the client come back to the same session."""
    resumed = asyncio.Event()

    async def on_resumed() -> None:
        resumed.set()

    bot.on_resumed = on_resumed
    loopback.gateway.order_reconnect()
    await asyncio.wait_for(resumed.wait(), 10)
    assert len(loopback.gateway.sessions) == 1


async def test_a_rate_limit_is_waited_out(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """A 429 with a Via header is tried again, and the answer arrives once."""
    order = loopback.faults.rate_limit(on("PATCH", "@original"), seconds=0.05)
    message = await painted(ada)
    assert message["content"] == "a cat 20 Euler a 0"
    assert order.times == 0


async def test_a_429_without_via_is_a_ban(bot: SmallBot, loopback: Loopback) -> None:
    """discord.py does not try again when the header is missing, as behind Cloudflare."""
    loopback.faults.rate_limit(on("POST", "/messages"), via=False)
    with pytest.raises(discord.HTTPException) as caught:
        await bot.guilds[0].text_channels[0].send("hello")
    assert caught.value.status == 429


async def test_a_server_error_that_is_sent_again_posts_once(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """The answer to a post is lost behind a 502; the client sends it again, and the nonce keeps it one message."""
    order = loopback.faults.lose_answer(on("POST", "/messages"), status=502)
    sent = await bot.guilds[0].text_channels[0].send("once", nonce="job-1")
    assert order.times == 0
    assert [message["content"] for message in ada.messages("#paint")] == ["once"]
    assert str(sent.id) == ada.last("#paint")["id"]
    posts = [call for call in loopback.gate.calls if call.method == "POST" and call.path.endswith("/messages")]
    assert len(posts) == 2


async def test_without_a_nonce_the_same_posts_twice(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """The fault is real: a follow-up carries no nonce, and its second sending is a second message."""
    message = await painted(ada)
    loopback.faults.lose_answer(on("POST", "/webhooks/"), status=502)
    await ada.click(message, "Again")
    await ada.until(lambda: [m["content"] for m in ada.messages("#paint")][1:] == ["again", "again"])


async def test_an_answer_that_never_arrives(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """The connection ends after the post was accepted: the client gets an error, the message is there."""
    loopback.faults.lose_answer(on("POST", "/messages"))
    with pytest.raises((OSError, discord.DiscordException, asyncio.TimeoutError, Exception)) as caught:
        await bot.guilds[0].text_channels[0].send("there", file=picture())
    assert "disconnect" in str(caught.value).lower() or isinstance(caught.value, OSError)
    assert ada.last("#paint")["content"] == "there"


async def test_a_connection_that_is_reset_before_anything_is_done(
    bot: SmallBot, loopback: Loopback, ada: Person
) -> None:
    """The connection ends before the post was accepted: no message."""
    loopback.faults.reset(on("POST", "/messages"))
    with pytest.raises(Exception):  # noqa: B017, PT011
        await bot.guilds[0].text_channels[0].send("never")
    assert ada.messages("#paint") == []


async def test_rights_and_deleted_channels(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """Without the right to write there is 50013, and in a channel that is gone 10003."""
    channel = bot.guilds[0].text_channels[0]
    world = loopback.world
    denied = Overwrite(id=world.bot_id, kind=1, deny=SEND_MESSAGES)
    world.change_channel(str(channel.id), overwrites=[denied])
    with pytest.raises(discord.Forbidden) as forbidden:
        await channel.send("hello")
    assert forbidden.value.code == 50013
    world.delete_channel(str(channel.id))
    with pytest.raises(discord.NotFound) as gone:
        await channel.send("hello")
    assert gone.value.code == 10003
    with pytest.raises(Refused):
        ada.say("#paint", "hello")


async def test_a_file_that_is_too_large(bot: SmallBot) -> None:
    """Ten MiB is the most for a file."""
    import io

    file = discord.File(io.BytesIO(bytes(10 * 2**20 + 1)), "large.bin")
    with pytest.raises(discord.HTTPException) as caught:
        await bot.guilds[0].text_channels[0].send(file=file)
    assert (caught.value.status, caught.value.code) == (413, 40005)


async def test_history_pages_both_ways(bot: SmallBot, ada: Person) -> None:
    """discord.py reads a channel back by pages, newest or oldest first, and around a message."""
    said = [ada.say("#paint", str(number))["content"] for number in range(120)]
    channel = bot.guilds[0].text_channels[0]
    ids = [message async for message in channel.history(limit=None)]
    assert len(ids) == 120
    assert [message.id for message in ids] == sorted((m.id for m in ids), reverse=True)
    oldest = [message async for message in channel.history(limit=5, oldest_first=True)]
    assert [message.id for message in oldest] == [m.id for m in ids[::-1][:5]]
    around = [message async for message in channel.history(limit=5, around=ids[60])]
    assert {message.id for message in around} == {m.id for m in ids[58:63]}
    assert len(said) == 120


async def test_a_card_can_be_edited_with_its_own_parts(bot: SmallBot, ada: Person) -> None:
    """A layout made again from a message (with links instead of names) keeps its picture."""
    channel = bot.guilds[0].text_channels[0]
    message = await channel.send(view=card(), file=picture())
    again = discord.ui.LayoutView.from_message(message)
    again.add_item(discord.ui.TextDisplay("and more"))
    await message.edit(view=again)
    media = ada.last("#paint")["components"][0]["components"][1]["items"][0]["media"]
    assert media["attachment_id"]
    assert ada.last("#paint")["components"][-1]["content"] == "and more"


async def test_after_fifteen_minutes_a_token_is_worth_nothing(bot: SmallBot, ada: Person, clock: ShiftedClock) -> None:
    """An edit by the interaction's token fails with 50027; the bot's own token still edits the message."""
    exchange = await ada.slash("paint", "#paint", prompt="late")
    message = await exchange.answered()
    webhook = discord.Webhook.partial(bot.application_id, exchange.interaction.token, client=bot)
    await webhook.edit_message(int(message["id"]), content="in time")
    clock.advance(15 * 60)
    with pytest.raises(discord.HTTPException) as late:
        await webhook.edit_message(int(message["id"]), content="too late")
    assert late.value.code == 50027
    channel = bot.guilds[0].text_channels[0]
    await channel.get_partial_message(int(message["id"])).edit(content="by another way")
    assert ada.message(message)["content"] == "by another way"


async def test_a_wrong_token_is_refused(loopback: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py tells a login failure from other errors."""
    loopback.token = "wrong"
    with pytest.raises(discord.LoginFailure):
        await connect(SmallBot())


async def test_a_privileged_intent_is_refused(connect: Connect) -> None:
    """A bot that asks for what the operator did not switch on is closed with 4014."""
    client = SmallBot()
    client._connection._intents.message_content = True
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await connect(client)


async def test_an_unknown_session_begins_anew(bot: SmallBot, loopback: Loopback, ada: Person) -> None:
    """Opcode 9 makes the client identify again, and it hears people after that."""
    before = set(loopback.gateway.sessions)
    loopback.gateway.invalidate()
    await ada.until(lambda: set(loopback.gateway.sessions) - before, timeout=15)
    direct = ada.open_dm()
    ada.say(direct, "again")
    assert await asyncio.wait_for(bot.heard.get(), 10) == ("message", "again")
    assert DiscordWebSocket.DEFAULT_GATEWAY.host == "127.0.0.1"
