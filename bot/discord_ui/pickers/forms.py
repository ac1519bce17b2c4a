"""The forms of a picker: words to look for, the weights of what was taken, and painting with it.

Owns the fields and their names, and the draft that the last of them means.
"""

from typing import Final

import discord

from bot.discord_ui.fields import form, line, text
from bot.discord_ui.forms import Filled
from bot.discord_ui.pickers.choosing import beginning, list_of
from bot.discord_ui.pickers.spots import Shelf, Spot, Verb
from bot.requests.drafts import ImagineDraft
from bot.requests.typed import read_canvas
from inference.api.catalog import ASPECTS
from inference.api.result import Inventory, ModelFile
from storage.palettes import Palette

WORDS, LIST, PROMPT, NEGATIVE, MODEL, SIZE = "words", "list", "prompt", "negative", "model", "size"
WORDS_LIMIT: Final = 100
_LIST_LIMIT: Final = 3000
_SIZE_HINT: Final = f"Pixels, or a shape: {', '.join(row.id for row in ASPECTS)}"


def find_form(person: int, spot: Spot, *, words: str) -> discord.ui.Modal:
    """What to look for."""
    hint = "In names, trigger words and notes; empty shows all"
    field = line(WORDS, "Words", words, hint=hint, longest=WORDS_LIMIT)
    return form(f"Find {spot.shelf.noun}s", Spot(spot.shelf, Verb.FOUND, 1).ticket(person), (field,))


def weights_form(person: int, spot: Spot, palette: Palette, inventory: Inventory) -> discord.ui.Modal:
    """What was taken, one a line with its weight; what is taken out of the text is left."""
    lines = list_of(palette.picks, inventory).replace(", ", "\n")
    field = text(LIST, "LoRAs and weights", lines, hint="ink:0.8", longest=_LIST_LIMIT)
    return form("Weights", Spot(spot.shelf, Verb.WEIGHED, spot.page).ticket(person), (field,))


def paint_form(
    person: int, spot: Spot, palette: Palette, inventory: Inventory, *, model: ModelFile | None
) -> discord.ui.Modal:
    """A picture with what was taken: its words and what it asks to keep out stand there already."""
    picks = palette.picks if spot.shelf is Shelf.LORAS else ()
    words, out = beginning(picks, inventory)
    if spot.shelf is Shelf.MODELS and model is not None:
        words = ", ".join(model.triggers)
    fields = (
        text(PROMPT, "Prompt", f"{words}, " if words else "", required=True),
        text(NEGATIVE, "Negative prompt", out),
        line(LIST, "LoRAs", list_of(picks, inventory), hint="ink:0.8, fur", longest=_LIST_LIMIT),
        line(MODEL, "Model", model.name if model else "", hint="The server's own, where this is empty", longest=300),
        line(SIZE, "Size", hint=_SIZE_HINT, longest=40),
    )
    return form("Paint", Spot(spot.shelf, Verb.PAINTED, spot.page).ticket(person), fields)


def read_draft(filled: Filled) -> ImagineDraft:
    """What the form of a painting means. Raises RequestRefused for a size that is none."""
    said = filled.texts
    size, aspect = read_canvas(said.get(SIZE, ""))
    return ImagineDraft(
        prompt=said.get(PROMPT, "").strip().rstrip(",").rstrip(),
        negative=said.get(NEGATIVE, "").strip() or None,
        lora=said.get(LIST, "").replace("\n", ", ").strip() or None,
        model=said.get(MODEL, "").strip() or None,
        size=size,
        aspect=aspect,
    )
