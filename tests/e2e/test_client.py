"""The bot's own client against the loopback Discord."""

from pathlib import Path

import discord
import pytest

from bot.discord_ui.client import PERMISSIONS, EaselClient, intents, missing_permissions
from bot.errors import RequestRefused, SetupError
from bot.sandbox.driver import Person
from tests.e2e.conftest import Connect


def client_with(stamp: Path, *names: str, guild: int = 0) -> EaselClient:
    """A client with one command a name; each is refused in words, except one that breaks."""
    client = EaselClient(stamp=stamp, guild=guild, guild_ready_timeout=0.02)
    for name in names:

        @client.tree.command(name=name, description="A command")
        async def answer(interaction: discord.Interaction) -> None:
            assert interaction.command is not None
            if interaction.command.name == "breaks":
                raise ZeroDivisionError("an inner secret")
            if interaction.command.name == "late":
                await interaction.response.defer(ephemeral=True)
            raise RequestRefused("Steps must be between 1 and 60, not **0**.")

    return client


def words(message: dict) -> str:
    """The text of a card."""
    return message["components"][0]["components"][0]["content"]


async def test_commands_are_registered_when_they_change(tmp_path: Path, connect: Connect, ada: Person) -> None:
    """The first start registers; the same commands again ask nothing of Discord; a new one registers again."""
    stamp = tmp_path / "data" / "commands"
    first = client_with(stamp, "imagine")
    await connect(first)
    assert {command["name"] for command in ada.commands("#paint")} == {"imagine"}
    assert await first.sync_commands() is False
    await connect(client_with(stamp, "imagine", "queue"))
    assert {command["name"] for command in ada.commands("#paint")} == {"imagine", "queue"}


async def test_commands_of_one_server(tmp_path: Path, connect: Connect, ada: Person) -> None:
    """They answer also after a start that had nothing to register; no command is ever seen twice on the way there and back."""
    stamp = tmp_path / "commands"
    home = int(next(iter(ada.world.guilds)))
    for guild in (0, home, home, 0):
        client = client_with(stamp, "refuses", guild=guild)
        await connect(client)
        assert [command["name"] for command in ada.commands("#paint")] == ["refuses"]
        assert "Steps must be" in words(await (await ada.slash("refuses", "#paint")).answered())
        await client.close()


async def test_a_server_that_easel_is_not_in(tmp_path: Path, connect: Connect) -> None:
    """An id that is no server of its own ends the start with what to do."""
    with pytest.raises(SetupError, match=r"Invite it .* or set guild = 0"):
        await connect(client_with(tmp_path / "commands", "imagine", guild=123))


@pytest.mark.parametrize("name", ["refuses", "late"])
async def test_a_refusal_is_a_sentence_for_the_person_alone(
    tmp_path: Path, connect: Connect, ada: Person, ben: Person, name: str
) -> None:
    """Before and after a deferred answer, the sentence is seen by who asked and by nobody else, markdown as typed."""
    await connect(client_with(tmp_path / "commands", name))
    await ada.slash(name, "#paint")
    answer = await ada.wait_for_message("#paint")
    assert words(answer) == r"Steps must be between 1 and 60, not \*\*0\*\*."
    assert ben.message(answer) is None


async def test_an_accident_shows_nothing_of_our_inside(tmp_path: Path, connect: Connect, ada: Person) -> None:
    """An error that nobody foresaw is answered, and what it says inside stays in the log."""
    await connect(client_with(tmp_path / "commands", "breaks"))
    answer = await (await ada.slash("breaks", "#paint")).answered()
    assert "Something went wrong on our side" in words(answer)
    assert "secret" not in words(answer)


def test_no_intent_is_privileged() -> None:
    """The bot asks for servers and reactions, and for nothing that Discord reviews."""
    wanted = intents()
    assert not (wanted.members)
    assert not (wanted.presences)
    assert not wanted.message_content
    assert wanted.guilds
    assert wanted.guild_reactions
    assert wanted.dm_reactions


def test_missing_permissions_are_named() -> None:
    """What a channel lacks is said by name; a channel that grants all lacks nothing."""
    assert missing_permissions(discord.Permissions.all()) == ()
    assert missing_permissions(PERMISSIONS) == ()
    assert missing_permissions(discord.Permissions(PERMISSIONS.value & ~discord.Permissions.attach_files.flag)) == (
        "attach_files",
    )
