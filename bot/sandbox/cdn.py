"""The files of messages over HTTP, as Discord's CDN gives them out: signed links that expire.

Owns one route. Files are read from the world's shelf.
"""

from aiohttp import web

from bot.sandbox.world import World

ROUTE = "/cdn/attachments/{channel}/{attachment}/{name}"
SAFE_TO_SHOW = ("image/png", "image/jpeg", "image/gif", "image/webp", "text/plain")
"""What a browser may draw in place; anything else is only saved, so that no upload becomes a page of ours."""


class Cdn:
    """Gives out attachments."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def get(self, request: web.Request) -> web.Response:
        """The bytes; 404 for a link that is unknown, not ours or past its time."""
        query = request.query
        good = self._world.links.is_good(
            request.raw_path.split("?")[0], query.get("ex", ""), query.get("is", ""), query.get("hm", "")
        )
        attachment = self._world.attachments.get(request.match_info["attachment"])
        data = self._world.shelf.get(attachment.id) if attachment and good else None
        if attachment is None or data is None:
            return web.Response(status=404, text="This content is no longer available.")
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        if attachment.content_type not in SAFE_TO_SHOW:
            headers["Content-Disposition"] = f'attachment; filename="{attachment.filename}"'
        return web.Response(body=data, content_type=attachment.content_type, headers=headers)
