"""Styles in a wish: which are meant, in which order, and what they set besides words.

Owns how several styles are named at once (`ink, moody`), that explicit options win over styles and later styles over earlier
ones, and the note that tells what was set. How a style's words join a prompt is `resolve`'s. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from bot.errors import RequestRefused, Unknown
from bot.requests.drafts import ImagineDraft, read_loras, shown
from bot.requests.naming import joined, lora_named, unknown
from inference.api.lookup import find_checkpoint
from inference.api.result import Inventory
from storage.values import Style, StyleSettings

AT_ONCE: Final = 10
"""Styles in one wish."""
_COMMAS: Final = 8
"""Commas in the name of one style."""


def styles_named(text: str, styles: Mapping[str, Style]) -> tuple[Style, ...]:
    """The styles of a list such as `ink, moody`, in its order. A name may hold commas: the longest that is known counts.

    Case counts only where two differ by nothing else. Raises Unknown, RequestRefused for too many.
    """
    pieces = text.split(",")
    found: list[Style] = []
    at = 0
    while at < len(pieces):
        if not pieces[at].strip():
            at += 1
            continue
        if len(found) == AT_ONCE:
            raise RequestRefused(f"At most {AT_ONCE} styles can be used at once.")
        length, style = _longest(pieces[at : at + 1 + _COMMAS], styles)
        if style is None:
            raise unknown("style", pieces[at].strip(), styles)
        found.append(style)
        at += length
    return tuple(found)


def with_styles(draft: ImagineDraft, *, styles: Mapping[str, Style], inventory: Inventory) -> ImagineDraft:
    """`draft` with what its styles set and it does not say itself; their LoRAs are worn under its own.

    Raises Unknown when a style is not there, or a model or LoRA that it sets is not here any more.
    """
    chosen = styles_named(draft.style or "", styles)
    if not chosen:
        return draft
    for style in chosen:
        _check_loras(style, inventory)
    sets = merged(chosen)
    loras = [each.settings.loras for each in chosen] + [draft.lora or ""]
    shaped = draft.size is not None or draft.aspect is not None or draft.init_size is not None
    return msgspec.structs.replace(
        draft,
        model=_model(chosen, inventory) if draft.model is None and sets.model else draft.model,
        lora=", ".join(each for each in loras if each.strip()) or draft.lora,
        sampler=sets.sampler if draft.sampler is None and sets.sampler else draft.sampler,
        steps=sets.steps if draft.steps is None else draft.steps,
        cfg=sets.cfg if draft.cfg is None else draft.cfg,
        size=draft.size if shaped else sets.size,
    )


def merged(styles: Sequence[Style]) -> StyleSettings:
    """What `styles` set together, the later ones winning; LoRAs left out."""
    last = StyleSettings()
    for style in styles:
        sets = style.settings
        last = StyleSettings(
            model=sets.model or last.model,
            hash=sets.hash if sets.model else last.hash,
            sampler=sets.sampler or last.sampler,
            steps=last.steps if sets.steps is None else sets.steps,
            cfg=last.cfg if sets.cfg is None else sets.cfg,
            size=last.size if sets.size is None else sets.size,
        )
    return last


def style_notes(draft: ImagineDraft, *, styles: Mapping[str, Style]) -> tuple[str, ...]:
    """A sentence for the card: which styles were used, and what they set where `draft` said nothing. Raises Unknown."""
    chosen = styles_named(draft.style or "", styles)
    if not chosen:
        return ()
    noun = "Style" if len(chosen) == 1 else "Styles"
    facts = ", ".join(_facts(draft, chosen))
    return (f"{noun} {joined([style.name for style in chosen], last='and')}{f': {facts}' if facts else ''}.",)


def _facts(draft: ImagineDraft, chosen: Sequence[Style]) -> Iterator[str]:
    sets = merged(chosen)
    if sets.model and draft.model is None:
        yield f"model {shown(sets.model, limit=40)}"
    loras = ", ".join(style.settings.loras for style in chosen if style.settings.loras)
    if loras:
        yield f"LoRAs {shown(loras, limit=80)}"
    if sets.sampler and draft.sampler is None:
        yield sets.sampler
    if sets.steps is not None and draft.steps is None:
        yield f"{sets.steps} steps"
    if sets.cfg is not None and draft.cfg is None:
        yield f"CFG {sets.cfg:g}"
    if sets.size is not None and draft.size is None and draft.aspect is None and draft.init_size is None:
        yield f"{sets.size[0]} × {sets.size[1]}"


def _longest(pieces: Sequence[str], styles: Mapping[str, Style]) -> tuple[int, Style | None]:
    """The style that as many of `pieces` as possible name, and how many those are."""
    for length in range(len(pieces), 0, -1):
        style = _alike(",".join(pieces[:length]).strip(), styles)
        if style is not None:
            return length, style
    return 0, None


def _alike(name: str, styles: Mapping[str, Style]) -> Style | None:
    if name in styles:
        return styles[name]
    folded = name.casefold()
    alike = [style for known, style in styles.items() if known.casefold() == folded]
    return alike[0] if len(alike) == 1 else None


def _model(chosen: Sequence[Style], inventory: Inventory) -> str:
    """The checkpoint that the last of `chosen` which names one paints with, as `resolve` finds it. Raises Unknown."""
    style = next(each for each in reversed(chosen) if each.settings.model)
    sets = style.settings
    found = next((info for info in inventory.checkpoints if sets.hash and info.hash == sets.hash), None)
    found = found or find_checkpoint(inventory, sets.model)
    if found is None:
        raise Unknown(
            f"The style “{shown(style.name)}” is painted with the model “{shown(sets.model)}”, which is not here any more; "
            "name another model beside the style, or change the style with /style edit."
        )
    return found.name


def _check_loras(style: Style, inventory: Inventory) -> None:
    for name, _ in read_loras(style.settings.loras):
        try:
            lora_named(name, inventory)
        except Unknown as error:
            raise Unknown(
                f"The style “{shown(style.name)}” wears the LoRA “{shown(name)}”, which is not here any more; "
                "take it out with /style edit."
            ) from error
