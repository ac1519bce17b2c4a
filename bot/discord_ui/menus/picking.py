"""The pictures of any message: attached, shown on a card, in a forwarded message, or unfolded from a link.

Owns where a message may hold pictures, and which of ours a message of our own shows. Whoever wrote it is a stranger: nothing is
fetched but by `bot.discord_ui.uploads`, from Discord's own copy, and nothing is believed of a custom_id that is not ours.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import discord
import msgspec

from bot.discord_ui.actions import Action, read_ticket
from bot.discord_ui.posting.nonces import custom_ids
from bot.discord_ui.uploads import ANIMATIONS, CONTENT_TYPES

MOST: Final = 10
"""Pictures of one message that are looked at: as many as Discord lets one hold."""
_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp")
_ABOUT_PICTURES: Final = frozenset({Action.SINGLE, Action.VARY_STRONG, Action.AGAIN, Action.PNG})


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as a message holds it: its file's name, Discord's address of it, and its size in bytes where that is told."""

    name: str
    url: str
    size: int = 0


def pictures_in(message: discord.Message, *, moving: bool = False) -> tuple[Sent, ...]:
    """All pictures of `message`, each once, in the order in which it shows them; `moving` takes GIFs too."""
    found: dict[str, Sent] = {}
    for part in (message, *message.message_snapshots):
        for attachment in part.attachments:
            if _is_picture(attachment, moving=moving):
                sent = Sent(name=attachment.filename, url=attachment.url, size=attachment.size)
                found.setdefault(_address(sent.url), sent)
        for url in (*_shown(part.components), *_unfolded(part.embeds)):
            found.setdefault(_address(url), Sent(name=_name(url), url=url))
    return tuple(found.values())[:MOST]


def own_images(message: discord.Message, client: discord.Client) -> tuple[int, ...]:
    """Ids of the pictures of ours that `message` shows by its buttons, in order; none where it is not by `client`."""
    if client.user is None or message.author.id != client.user.id:
        return ()
    carried: list[Any] = [part.to_dict() for part in message.components]
    tickets = (read_ticket(custom_id) for custom_id in custom_ids(carried))
    return tuple(dict.fromkeys(t.id for t in tickets if t is not None and t.action in _ABOUT_PICTURES))


def _is_picture(attachment: discord.Attachment, *, moving: bool) -> bool:
    kind = (attachment.content_type or "").partition(";")[0].strip().lower()
    if kind:
        return kind in CONTENT_TYPES or (moving and kind in ANIMATIONS)
    return attachment.filename.lower().endswith((*_ENDINGS, ".gif") if moving else _ENDINGS)


def _shown(components: Sequence[Any]) -> Iterator[str]:
    """Addresses of the pictures on a card: Discord's own file where it lies there, else Discord's copy of it."""
    for part in components:
        if isinstance(part, discord.MediaGalleryComponent):
            yield from (_discords(item.media) for item in part.items)
        elif isinstance(part, discord.ThumbnailComponent):
            yield _discords(part.media)
        for inner in (getattr(part, "children", ()), [each for each in (getattr(part, "accessory", None),) if each]):
            yield from _shown(inner)


def _discords(media: discord.UnfurledMediaItem) -> str:
    return media.url if media.attachment_id is not None else media.proxy_url or ""


def _unfolded(embeds: Sequence[discord.Embed]) -> Iterator[str]:
    for embed in embeds:
        url = embed.image.proxy_url or embed.thumbnail.proxy_url
        if url:
            yield url


def _address(url: str) -> str:
    """What two signed addresses of the same file have in common."""
    parts = urlsplit(url)
    return parts.path if "/attachments/" in parts.path else f"{parts.netloc}{parts.path}?{parts.query}"


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])[:100] or "picture"
