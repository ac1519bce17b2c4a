"""What the bot learns about itself: its account, its application, its servers, where the gateway is."""

from typing import TYPE_CHECKING, Any

from bot.sandbox import payloads

if TYPE_CHECKING:
    from bot.sandbox.world import World

Json = dict[str, Any]


def own_user(world: "World") -> Json:
    """The bot's account, as its owner sees it."""
    account = payloads.user_payload(world.users[world.bot_id])
    return {**account, "mfa_enabled": False, "locale": "en-US", "verified": True, "email": None}


def own_application(world: "World") -> Json:
    """The bot's application."""
    owner = next((guild.owner_id for guild in world.guilds.values()), world.bot_id)
    return {
        "id": world.bot_id,
        "name": world.users[world.bot_id].global_name,
        "description": "",
        "icon": None,
        "type": None,
        "bot": payloads.user_payload(world.users[world.bot_id]),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "rpc_origins": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": payloads.user_payload(world.users[owner]),
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": ["bot", "applications.commands"],
    }


def own_guilds(world: "World") -> list[Json]:
    """The servers that the bot is in, in short."""
    return [
        {
            "id": guild.id,
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner_id == world.bot_id,
            "permissions": str(guild.roles[guild.id].permissions),
            "features": [],
        }
        for guild in world.guilds.values()
        if world.bot_id in guild.members
    ]


def gateway_for_bots(url: str) -> Json:
    """Where the gateway is, and that one shard is enough."""
    start = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return {"url": url, "shards": 1, "session_start_limit": start}
