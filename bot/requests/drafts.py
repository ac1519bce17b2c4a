"""What a person typed, everything optional: the value between Discord's options and forms and a resolved request.

Owns the draft and how its texts are read (sizes, lists of LoRAs). Refuses to know what exists (`resolve` does) and where
the texts came from.
"""

import msgspec


class ImagineDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A wish as it was typed. None means "not said"; `resolve` then takes the server's default, `edited` what there was.

    `seed` is text: a number, "random", or the name of a saved seed (in an edit also "keep" and "variation"). `lora` is a
    list such as `ink:0.8, fur`. `aspect` is an id of the catalogue; `size` (width, height) in pixels wins over it.
    `init_image` is the sha256 of the picture to begin from and `init_size` its (width, height), which decides the shape
    where neither aspect nor size is said. `private` asks for the answer by direct message.
    """

    prompt: str = ""
    negative: str | None = None
    style: str | None = None
    aspect: str | None = None
    size: tuple[int, int] | None = None
    count: int | None = None
    model: str | None = None
    lora: str | None = None
    seed: str | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    strength: float | None = None
    init_image: str | None = None
    init_size: tuple[int, int] | None = None
    private: bool = False


def read_size(text: str) -> tuple[int, int]:
    """Width and height in pixels from `512x768` (also with × or *, and spaces). Raises RequestRefused."""
    raise NotImplementedError


def read_loras(text: str) -> tuple[tuple[str, float | None], ...]:
    """Names and strengths from `ink:0.8, fur`; None where no strength is said. Raises RequestRefused."""
    raise NotImplementedError
