"""ℹ️: all that is known of a picture, as a card with what can be kept of it, and as a text file in the webui's form. Pure."""

from typing import Final

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT
from bot.discord_ui.markup import ago, code, plain, shorten
from bot.discord_ui.reply import Attachment, Button, Reply, Row, Rule, Text
from storage.values import Image

PARAMETERS_SHOWN: Final = 2800
"""Characters of the parameter text on the card; Discord takes 4,000 in all."""
_FENCE: Final = "```"


def info_card(image: Image, *, link: str) -> Reply:
    """The parameters of `image`; `link` is the message that shows it, if any."""
    shown = f" · [its message]({link})" if link else ""
    text = shorten(image.infotext, limit=PARAMETERS_SHOWN).replace(_FENCE, "ˋˋˋ")
    return Reply(
        parts=(
            Text(f"### {plain(image.prompt, limit=300) or 'Without words'}"),
            Text(
                f"Picture {code(str(image.id))} · job {code(str(image.job))} · seed {code(str(image.seed))} · "
                f"{image.width} × {image.height} px\n-# painted {ago(image.created)}{shown}"
            ),
            Rule(),
            Text(f"{_FENCE}\n{text}\n{_FENCE}"),
            Row((Button(custom_id=Ticket(Action.REPORT, image.id).custom_id, label="Report", emoji="🚩"),)),
            Row(
                (
                    Button(custom_id=Ticket(Action.STYLE_OF, image.id).custom_id, label="Save as style", emoji="🎨"),
                    Button(custom_id=Ticket(Action.SEED_OF, image.id).custom_id, label="Keep the seed", emoji="🌱"),
                )
            ),
        ),
        accent=ACCENT,
    )


def info_file(image: Image) -> Attachment | None:
    """The whole parameter text where the card has room for its beginning only."""
    if len(image.infotext) <= PARAMETERS_SHOWN:
        return None
    return Attachment(f"easel-{image.id}.txt", image.infotext.encode(), "All parameters of the picture")
