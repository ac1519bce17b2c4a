"""Upscalers by the names that texts use: labels of the catalogue, and networks that are here."""

from inference.api.catalog import LATENT_UPSCALERS, UPSCALERS
from inference.api.infotext.files import Shelves
from inference.api.infotext.reading import Reader
from inference.api.lookup import find_upscaler

_LABELS = {"none": "lanczos"} | {row.label.casefold(): row.id for row in (*LATENT_UPSCALERS, *UPSCALERS)}


def read_upscaler(reader: Reader, shelves: Shelves, key: str, usual: str) -> str:
    """The upscaler that the text names under `key`, `usual` where it names none, Lanczos where that one is not here."""
    name = reader.text(key)
    if not name:
        return usual
    if known := _LABELS.get(name.casefold()):
        return known
    if found := find_upscaler(shelves.inventory, name):
        return found.name
    reader.notes.append(f"The upscaler “{name[:40]}” is not here; Lanczos was taken.")
    return "lanczos"
