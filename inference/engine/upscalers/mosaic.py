"""The picture that overlapping pieces become, finished from above: only the rows that pieces still change are numbers.

Owns the weighted sum and the step to 8 bits. So an enlargement takes the memory of its result and one band, however large.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


class Mosaic:
    """Pieces (3, h, w) in [0, 1] are laid with weights (h, w) >= 0; `close(row)` says that no more come above `row`.

    `band` is the height of the highest piece. `rounded` is how upscalers bring numbers to 8 bits (webui); LDSR truncates.
    """

    def __init__(self, size: tuple[int, int], *, band: int, rounded: bool = True) -> None:
        width, height = size
        self.picture = Image.new("RGB", size)
        self._height, self._rounded, self._top = height, rounded, 0
        self._sum = torch.zeros(3, min(band, height), width)
        self._weight = torch.zeros(min(band, height), width)

    def lay(self, piece: Tensor, weights: Tensor, *, left: int, top: int) -> None:
        """Add a piece whose upper left corner is at (`left`, `top`)."""
        (height, width), above = weights.shape, top - self._top
        area = slice(above, above + height), slice(left, left + width)
        self._sum[:, area[0], area[1]].addcmul_(piece.float().cpu(), weights)
        self._weight[area] += weights

    def close(self, row: int) -> None:
        """Write all above `row`, and make room for as much below."""
        done = row - self._top
        if done <= 0:
            return
        levels = (self._sum[:, :done] / self._weight[:done]).clamp_(0, 1).mul_(255)
        if self._rounded:
            levels.round_()
        pixels = levels.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        self.picture.paste(Image.fromarray(np.ascontiguousarray(pixels)), (0, self._top))
        for band in (self._sum, self._weight):
            rest = band[..., done:, :].clone()
            band[..., : rest.shape[-2], :] = rest
            band[..., rest.shape[-2] :, :] = 0
        self._top = row

    def finished(self) -> Image.Image:
        """The whole picture; nothing more is laid."""
        self.close(self._height)
        return self.picture
