"""Where messages go when Easel ends."""

from pathlib import Path

import pytest

from bot.discord_ui.client import EaselClient
from bot.discord_ui.posting import places
from bot.discord_ui.reply import Reply
from storage.values import Address


async def test_what_is_said_while_easel_ends_is_left_for_its_next_start(tmp_path: Path) -> None:
    """With the connection closed nothing is sent, and what is raised is a failure that passes, not one of ours."""
    client = EaselClient(stamp=tmp_path / "commands")
    await client.close()
    address = Address(channel=1, guild=2, person=3)
    reply = Reply(parts=())
    for attempt in (
        places.post(client, 1, reply, nonce="n"),
        places.change(client, address, 4, reply, now=0.0),
        places.take_away(client, address, 4, now=0.0),
        places.conversation(client, 3),
    ):
        with pytest.raises(ConnectionError) as raised:
            await attempt
        assert places.passes(raised.value)
