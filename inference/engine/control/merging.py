"""Files that hold differences: a ControlNet's encoder is the checkpoint's own plus what training changed.

The sum is made in fp32 from the checkpoint's bare weights, anew for every checkpoint; those are only read (the “diff” models
of the webui's ControlNet extension). Refuses to know files.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


@torch.no_grad()
def merged(
    differences: Mapping[str, Tensor], base: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """fp32 weights of `shapes` by name: `differences` added to `base` where that has the name, as they are where it has not.

    What `differences` leave out, because training changed it by next to nothing, is the base's. A base that sees further
    channels (one made for inpainting) gives its first ones. Raises KeyError for a name that neither has.
    """
    weights: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        change = differences.get(name)
        if name not in base:
            weights[name] = differences[name].float()
            continue
        own = base[name].float()
        own = own[:, : shape[1]] if len(shape) == 4 else own
        weights[name] = own.clone() if change is None else own + change.to(own.device).float()
    return weights
