"""The parameter text that pictures carry: written in the webui's order and quoting, read back from wherever it comes.

- `writing`: facts -> text. `facts`: a request and the file that painted it -> facts.
- `parsing`: text -> the webui's table of parameters. `defaults`: what missing keys mean, and what old versions meant.
- `foreign`: texts of Civitai and NovelAI. `pictures`: the text inside a picture's bytes, and the EXIF that carries one.
- `resolving`: parameters and an inventory -> a request, with a sentence for all that cannot be honoured.
- `postprocessing`: what was done to a picture after it was painted, as the webui's Extras write it, and back.
- `keys`: the table of what is honoured, from which `docs/infotext.md` is made.

Owns the text's form and meaning. Refuses to read files and to paint.
"""

from inference.api.infotext.controls import control_facts
from inference.api.infotext.facts import facts_of
from inference.api.infotext.parsing import parse_parameters, seed_in
from inference.api.infotext.pictures import NoInfotext, exif_with, infotext_in, is_picture
from inference.api.infotext.postprocessing import (
    Postprocessed,
    postprocessing_in,
    read_postprocessing,
    write_postprocessing,
)
from inference.api.infotext.quoting import Value
from inference.api.infotext.resolving import Resolved, read_infotext, resolve
from inference.api.infotext.writing import Facts, write_infotext

__all__ = [
    "Facts",
    "NoInfotext",
    "Postprocessed",
    "Resolved",
    "Value",
    "control_facts",
    "exif_with",
    "facts_of",
    "infotext_in",
    "is_picture",
    "parse_parameters",
    "postprocessing_in",
    "read_infotext",
    "read_postprocessing",
    "resolve",
    "seed_in",
    "write_infotext",
    "write_postprocessing",
]
