"""One picture of the gallery, opened. Facts in, `Reply` out; pure.

Owns its words and the way back to its page. Refuses to know where the facts come from.
"""

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, PROMPT_SHOWN, ShownPicture, alt_text, single_rows
from bot.discord_ui.gallery.spots import Spot
from bot.discord_ui.gallery.ways import home, turn
from bot.discord_ui.markup import ago, code, plain
from bot.discord_ui.reply import Attachment, Button, Gallery, Picture, Reply, Row, Text


class OpenedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One picture, opened from `spot` by `person`. Size in pixels; `created` in seconds since 1970; `link` leads to the
    message where it was first shown, if any."""

    person: int
    spot: Spot
    picture: ShownPicture
    prompt: str
    model: str
    width: int
    height: int
    created: float
    link: str = ""


def opened_card(facts: OpenedFacts) -> Reply:
    """One picture with the buttons that it has everywhere, and the way back to its page."""
    name, alt = facts.picture.name, alt_text(facts.prompt, index=0, count=1)
    link = f" · [first shown here]({facts.link})" if facts.link else ""
    words = (
        f"**{plain(facts.prompt, limit=PROMPT_SHOWN) or 'Without words'}**\n"
        f"-# {code(facts.model, limit=60)} · seed {code(str(facts.picture.seed))} · {facts.width} × {facts.height} · "
        f"{ago(facts.created)}{link}"
    )
    back = turn(facts.person, facts.spot, label="Back", emoji="↩️")
    return Reply(
        parts=(
            Text(words),
            Gallery((Picture(name, alt),)),
            *_rows(facts),
            Row((back, home(facts.person))),
        ),
        files=(Attachment(name, facts.picture.data, alt),),
        accent=ACCENT,
    )


def removed_note(link: str) -> str:
    """What to say on the page that follows a deletion; `link` is the message that still shows the picture, if any."""
    stays = f" [Its message]({link}) stays until somebody deletes it." if link else ""
    return f"The picture is deleted.{stays}"


def _rows(facts: OpenedFacts) -> tuple[Row, ...]:
    """The usual buttons, except that 🗑️ takes the picture away and leaves the gallery where it is."""
    image = facts.picture.image
    usual = Ticket(Action.DELETE, image).custom_id
    removing = Ticket(Action.REMOVE, image, facts.spot.argument).custom_id
    rows = [[item for item in row.items if isinstance(item, Button)] for row in single_rows(image)]
    return tuple(
        Row(tuple(msgspec.structs.replace(b, custom_id=removing) if b.custom_id == usual else b for b in row))
        for row in rows
    )
