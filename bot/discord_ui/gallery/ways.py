"""Buttons that lead from one place of a gallery to another, each of which knows whose gallery it is. Pure."""

from bot.discord_ui.actions import Action, Ticket
from bot.discord_ui.gallery.spots import Spot
from bot.discord_ui.reply import Button


def turn(person: int, spot: Spot, *, label: str = "", emoji: str = "", disabled: bool = False) -> Button:
    """To a page of `person`'s gallery."""
    ticket = Ticket(Action.PAGE, person, spot.argument)
    return Button(custom_id=ticket.custom_id, label=label, emoji=emoji, disabled=disabled)


def home(person: int) -> Button:
    """To where `person`'s gallery begins."""
    return Button(custom_id=Ticket(Action.HOME, person).custom_id, label="Home", emoji="🏠")


def sets(person: int, *, page: int = 1, label: str = "", emoji: str = "📁", disabled: bool = False) -> Button:
    """To a page of `person`'s list of collections."""
    ticket = Ticket(Action.SETS, person, str(page))
    return Button(custom_id=ticket.custom_id, label=label, emoji=emoji, disabled=disabled)


def show(image: int, spot: Spot, *, label: str, emoji: str = "↩️") -> Button:
    """To one picture, opened from a spot."""
    return Button(custom_id=Ticket(Action.SHOW, image, spot.argument).custom_id, label=label, emoji=emoji)
