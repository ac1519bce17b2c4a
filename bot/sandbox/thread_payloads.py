"""A thread as Discord writes it: a channel without an age restriction and permissions of its own. Pure."""

from typing import Any

from bot.sandbox.clock import snowflake_time
from bot.sandbox.model import THREAD, Channel

Json = dict[str, Any]


def thread_payload(thread: Channel) -> Json:
    """A thread. Whether it is age-restricted is its parent's to say."""
    begun = snowflake_time(thread.id).isoformat()
    return {
        "id": thread.id,
        "type": THREAD,
        "flags": 0,
        "guild_id": thread.guild_id,
        "parent_id": thread.parent_id,
        "owner_id": thread.owner_id,
        "last_message_id": thread.last_message_id,
        "name": thread.name,
        "rate_limit_per_user": 0,
        "message_count": 0,
        "member_count": 1,
        "total_message_sent": 0,
        "thread_metadata": {
            "archived": False,
            "archive_timestamp": begun,
            "auto_archive_duration": 1440,
            "locked": False,
            "create_timestamp": begun,
        },
    }
