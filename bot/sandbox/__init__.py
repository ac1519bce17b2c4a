"""A Discord that runs on this machine, for trying Easel without a token and for its tests.

    from bot.sandbox.server import Loopback
    loopback = Loopback()                       # or Loopback(folder=Path("data/sandbox")): messages survive a restart
    urls = await loopback.start(port=0)         # urls.api, urls.gateway, urls.cdn, urls.page; 127.0.0.1 only
    ada = loopback.person("Ada")                # a bot.sandbox.driver.Person: everything a human can do
    await loopback.stop()

`world` and its parts are state and words only; `rest`, `gateway` and `cdn` are thin sockets around them; `driver` is the
human that tests and the page share. None of it imports discord.

**What a person sees** is `world.view(user_id)`, JSON (all ids are strings, as Discord writes them)::

    {"me": user, "people": [user, …], "bot": {**user, "online": bool},
     "guilds": [{"id", "name", "owner_id", "members": [member, …], "roles": [role, …], "channels": [channel, …]}],
     "dms": [channel with "recipients": [user]],
     "messages": {channel_id: [message, …]},          # oldest first; Discord's message object; reactions[].me is this person
     "commands": [application command, …],            # Discord's object; Person.commands(channel) filters by place and right
     "unread": {channel_id: {"unread": int, "mentions": int}}}

A message has Discord's flags: 64 only this person sees it, 128 "Easel is thinking…", 32768 Components V2. Media URLs are
absolute and on 127.0.0.1.

**What happens** is `world.subscribe(user_id)`: an async iterator (and context manager) of JSON events, as that person sees them::

    {"type": "message_create" | "message_update", "channel_id", "message"}
    {"type": "message_delete", "channel_id", "message_id"}
    {"type": "reactions", "channel_id", "message_id", "reactions": [{"emoji": {"id", "name"}, "count", "me", …}]}
    {"type": "typing", "channel_id", "user_id"}
    {"type": "channel_create" | "channel_update" | "channel_delete", "channel"}
    {"type": "commands", "commands": [application command, …]}
    {"type": "unread", "channel_id", "unread", "mentions"}
    {"type": "bot", "online"}
    {"type": "interaction", "id", "kind": "command" | "component" | "autocomplete" | "modal", "channel_id",
     "message_id", "custom_id",                        # of what was pressed, or null
     "state": "sent" | "deferred" | "answered" | "updated" | "modal" | "choices" | "failed",
     "response_message_id",                            # the message that answers it, or null
     "modal": {"custom_id", "title", "components"},    # when state is "modal": open this form, then Person.submit(id, values)
     "choices": [{"name", "value"}],                   # when state is "choices"
     "error"}                                          # when state is "failed": "The application did not respond", …
"""
