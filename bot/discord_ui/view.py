"""A `Reply` as discord.py's objects, ready for `send`: Components V2 in one container.

Owns the translation, and nothing of what is said. Buttons are plain here; whoever presses one is answered by the one
dynamic item of `bot.discord_ui.presses`, so that no view has to be remembered.
"""

import io
from typing import Any, Final

import discord

from bot.discord_ui.reply import Button, ChannelMenu, Gallery, Menu, Part, Picker, Reply, Row, Rule, Style, Text
from bot.discord_ui.validate import check_components, check_files

_STYLES: Final[dict[Style, discord.ButtonStyle]] = {
    "secondary": discord.ButtonStyle.secondary,
    "primary": discord.ButtonStyle.primary,
    "success": discord.ButtonStyle.success,
    "danger": discord.ButtonStyle.danger,
}
_WRITTEN_IN: Final = (
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.public_thread,
    discord.ChannelType.private_thread,
    discord.ChannelType.news_thread,
)


def layout(reply: Reply) -> discord.ui.LayoutView:
    """The card of `reply`. Raises TooMuch where Discord would refuse it. Needs a running event loop (discord.py's views do)."""
    parts = [_part(part) for part in reply.parts]
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container[discord.ui.LayoutView](*parts, accent_colour=reply.accent))
    check_components(view.to_components())
    view.stop()  # what is finished is not remembered by discord.py: the dynamic item answers, and memory does not grow
    return view


def files(reply: Reply) -> list[discord.File]:
    """The files of `reply`, alt texts with them, as new objects each time: discord.py closes what it has sent."""
    check_files(reply.files)
    return [
        discord.File(io.BytesIO(file.data), file.name, description=file.description or None) for file in reply.files
    ]


def pings(reply: Reply) -> discord.AllowedMentions:
    """Exactly the people of `reply.pings` may be notified, and nobody else by anything."""
    return discord.AllowedMentions(
        everyone=False, roles=False, replied_user=False, users=[discord.Object(person) for person in reply.pings]
    )


def _part(part: Part) -> discord.ui.Item[Any]:
    match part:
        case Text(markdown):
            return discord.ui.TextDisplay[discord.ui.LayoutView](markdown)
        case Gallery(pictures):
            shown = (
                discord.MediaGalleryItem(f"attachment://{p.file}", description=p.description, spoiler=p.spoiler)
                for p in pictures
            )
            return discord.ui.MediaGallery[discord.ui.LayoutView](*shown)
        case Row(items):
            return discord.ui.ActionRow[discord.ui.LayoutView](*(_control(item) for item in items))
        case Rule():
            return discord.ui.Separator[discord.ui.LayoutView]()


def _picker(item: Picker) -> discord.ui.Item[Any]:
    kind = discord.SelectDefaultValueType.channel if item.kind == "channels" else discord.SelectDefaultValueType.role
    chosen = [discord.SelectDefaultValue(id=each, type=kind) for each in item.chosen[: item.most]]
    common: dict[str, Any] = {
        "custom_id": item.custom_id,
        "placeholder": item.placeholder or None,
        "min_values": 0,
        "max_values": item.most,
        "default_values": chosen,
    }
    if item.kind == "roles":
        return discord.ui.RoleSelect[discord.ui.LayoutView](**common)
    types = [discord.ChannelType.text, discord.ChannelType.news, discord.ChannelType.forum]
    return discord.ui.ChannelSelect[discord.ui.LayoutView](channel_types=types, **common)


def _control(item: Button | Menu | ChannelMenu | Picker) -> discord.ui.Item[Any]:
    if isinstance(item, Picker):
        return _picker(item)
    if isinstance(item, ChannelMenu):
        return discord.ui.ChannelSelect[discord.ui.LayoutView](
            custom_id=item.custom_id, placeholder=item.placeholder or None, channel_types=list(_WRITTEN_IN)
        )
    if isinstance(item, Menu):
        options = [
            discord.SelectOption(
                label=choice.label,
                value=choice.value,
                description=choice.description or None,
                emoji=choice.emoji or None,
                default=choice.chosen,
            )
            for choice in item.choices
        ]
        return discord.ui.Select[discord.ui.LayoutView](
            custom_id=item.custom_id,
            placeholder=item.placeholder or None,
            options=options,
            min_values=item.least,
            max_values=item.most,
        )
    return discord.ui.Button[discord.ui.LayoutView](
        label=item.label or None,
        emoji=item.emoji or None,
        style=_STYLES[item.style],
        custom_id=item.custom_id,
        disabled=item.disabled,
    )
