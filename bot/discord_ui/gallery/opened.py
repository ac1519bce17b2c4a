"""One picture of the gallery, opened. Facts in, `Reply` out; pure.

Owns its words, its family's, and the ways on. Refuses to know where the facts come from.
"""

import msgspec

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.cards import ACCENT, PROMPT_SHOWN, ShownPicture, alt_text, control_row, single_rows
from bot.discord_ui.gallery.spots import Shelf, Spot
from bot.discord_ui.gallery.ways import home, turn
from bot.discord_ui.markup import ago, code, counted, plain
from bot.discord_ui.reply import Attachment, Button, Gallery, Picture, Reply, Row, Text


class OpenedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One picture, opened from `spot` by `person`. Size in pixels; `created` in seconds since 1970; `link` leads to the
    message where it was first shown, if any.

    It came from the picture `parent`, shown at `parent_link`; `orphan`: from one that is gone. `children` were made from it.
    `note` is a sentence of ours (markdown). Where it was `controlled` its controls can be opened.
    """

    person: int
    spot: Spot
    picture: ShownPicture
    prompt: str
    model: str
    width: int
    height: int
    created: float
    link: str = ""
    parent: int | None = None
    parent_link: str = ""
    orphan: bool = False
    children: int = 0
    note: str = ""
    controlled: bool = False


def opened_card(facts: OpenedFacts) -> Reply:
    """One picture with the buttons that it has everywhere, its family, and the way back to its page."""
    name, alt = facts.picture.name, alt_text(facts.prompt, index=0, count=1)
    link = f" · [first shown here]({facts.link})" if facts.link else ""
    note = f"-# {facts.note}\n" if facts.note else ""
    words = (
        f"{note}**{plain(facts.prompt, limit=PROMPT_SHOWN) or 'Without words'}**\n"
        f"-# {code(facts.model, limit=60)} · seed {code(str(facts.picture.seed))} · {facts.width} × {facts.height} · "
        f"{ago(facts.created)}{link}{_lineage(facts)}"
    )
    return Reply(
        parts=(
            Text(words),
            Gallery((Picture(name, alt),)),
            *_rows(facts),
            *((control_row(facts.picture.image, ()),) if facts.controlled else ()),
            *_family(facts),
            Row(_ways(facts)),
        ),
        files=(Attachment(name, facts.picture.data, alt),),
        accent=ACCENT,
    )


def removed_note(link: str) -> str:
    """What to say on the page that follows a deletion; `link` is the message that still shows the picture, if any."""
    stays = f" [Its message]({link}) stays until somebody deletes it." if link else ""
    return f"The picture is deleted.{stays}"


def _lineage(facts: OpenedFacts) -> str:
    words: list[str] = []
    if facts.parent is not None:
        words.append(f"from [this picture]({facts.parent_link})" if facts.parent_link else "from another picture")
    elif facts.orphan:
        words.append("from a picture that is gone")
    if facts.children:
        words.append(f"{counted(facts.children, 'picture')} made from it")
    return f"\n-# {' · '.join(words)}" if words else ""


def _family(facts: OpenedFacts) -> tuple[Row, ...]:
    """To the picture that it came from, and to those that were made from it, where there are any."""
    image = facts.picture.image
    buttons: list[Button] = []
    if facts.parent is not None:
        up = Ticket(Action.SHOW, facts.parent, facts.spot.argument)
        buttons.append(Button(custom_id=up.custom_id, label="Came from", emoji="🌳"))
    if facts.children:
        spot = Spot(Shelf.KIN, number=image)
        buttons.append(turn(facts.person, spot, label=f"{facts.children:,} made from it", emoji="🌱"))
    return (Row(tuple(buttons)),) if buttons else ()


def _ways(facts: OpenedFacts) -> tuple[Button, ...]:
    image, argument = facts.picture.image, facts.spot.argument
    keep = Button(custom_id=Ticket(Action.KEEP_IN, image, argument).custom_id, label="Collections", emoji="📁")
    post = Button(custom_id=Ticket(Action.POST, image, argument).custom_id, label="Post", emoji="📤")
    return turn(facts.person, facts.spot, label="Back", emoji="↩️"), home(facts.person), keep, post


def _rows(facts: OpenedFacts) -> tuple[Row, ...]:
    """The usual buttons, except that 🗑️ takes the picture away and leaves the gallery where it is, and that the family's
    have a row of their own."""
    image = facts.picture.image
    usual, family = Ticket(Action.DELETE, image).custom_id, Ticket(Action.KIN, image).custom_id
    removing = Ticket(Action.REMOVE, image, facts.spot.argument).custom_id
    rows = (
        tuple(
            msgspec.structs.replace(item, custom_id=removing) if item.custom_id == usual else item
            for item in row.items
            if isinstance(item, Button) and item.custom_id != family
        )
        for row in single_rows(image)
    )
    return tuple(Row(row) for row in rows if row)
