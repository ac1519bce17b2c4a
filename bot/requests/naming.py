"""Finding what a person named, or saying that it is not there and what they may have meant.

Owns the search by names, labels and near matches, and its sentence. Refuses to know what the named things are.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from bot.errors import Unknown
from bot.requests.drafts import shown
from inference.api.catalog import SAMPLERS, SCHEDULES, UPSCALERS
from inference.api.lookup import find_checkpoint, find_lora
from inference.api.result import Inventory, ModelFile

SUGGESTED: Final = 3
"""Near matches in one sentence."""
LISTED: Final = 12
"""Names in one sentence where all of them are told."""


def unknown(kind: str, text: str, names: Iterable[str]) -> Unknown:
    """The refusal of `text`, which is no `kind` ("model", "style"); names near matches, or what there is."""
    known = list(dict.fromkeys(names))
    near = near_matches(text, known)
    begin = f"There is no {kind} called “{shown(text)}”"
    if near:
        return Unknown(f"{begin}; did you mean {joined(near)}?")
    if not known:
        return Unknown(f"{begin}; there is none yet.")
    if len(known) <= LISTED:
        return Unknown(f"{begin}; there is {joined(known, last='and')}.")
    return Unknown(f"{begin}; choose one from the list that opens while you type.")


def near_matches(text: str, names: Sequence[str]) -> list[str]:
    """Up to three of `names` that look like `text`, the best first; neither case nor folders count."""
    wanted = text.casefold().strip()[:100]
    folded: dict[str, str] = {}
    for name in names:
        for part in (name, name.rpartition("/")[2]):
            folded.setdefault(part.casefold(), name)
    near = difflib.get_close_matches(wanted, folded, n=SUGGESTED, cutoff=0.6)
    begun = [name for name in folded if wanted and name.startswith(wanted)]
    return list(dict.fromkeys(folded[name] for name in (*near, *begun)))[:SUGGESTED]


def joined(names: Sequence[str], *, last: str = "or") -> str:
    """“a”, “b” or “c”."""
    quoted = [f"“{shown(name)}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def checkpoint_named(text: str, inventory: Inventory) -> ModelFile:
    """The checkpoint that `text` means, by the webui's rules; "" is the first. Raises Unknown."""
    if not inventory.checkpoints:
        raise Unknown("There is no model to paint with yet; the operator puts one into models/Stable-diffusion.")
    if not text.strip():
        return inventory.checkpoints[0]
    found = find_checkpoint(inventory, text)
    if found is None:
        raise unknown("model", text, (info.name for info in inventory.checkpoints))
    return found


def lora_named(text: str, inventory: Inventory) -> ModelFile:
    """The LoRA of this name or alias; case counts only where two differ by nothing else. Raises Unknown."""
    found = find_lora(inventory, text)
    if found is None:
        folded = text.casefold()
        alike = [info for info in inventory.loras if folded in (info.name.casefold(), info.alias.casefold())]
        if len(alike) != 1:
            raise unknown("LoRA", text, (info.name for info in inventory.loras))
        found = alike[0]
    return found


def sampler_named(text: str) -> tuple[str, str]:
    """Ids of sampler and schedule, by id or label; older titles such as "DPM++ 2M Karras" name both. Raises Unknown."""
    wanted = text.casefold().strip()
    for row in SAMPLERS:
        for name in (row.id, row.label.casefold()):
            if wanted == name:
                return row.id, "automatic"
            for schedule in SCHEDULES:
                if wanted == f"{name} {schedule.label.casefold()}":
                    return row.id, schedule.id
    raise unknown("sampler", text, (row.label for row in SAMPLERS))


def upscaler_named(text: str, inventory: Inventory) -> str:
    """What `UpscaleRequest` calls the upscaler of this id, label or file name. Raises Unknown."""
    wanted = text.casefold().strip()
    for row in UPSCALERS:
        if wanted in (row.id, row.label.casefold()):
            return row.id
    for info in inventory.upscalers:
        if wanted == info.name.casefold():
            return info.name
    raise unknown("upscaler", text, [*(row.label for row in UPSCALERS), *(info.name for info in inventory.upscalers)])
