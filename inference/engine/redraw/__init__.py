"""Large pictures painted over tile by tile: Ultimate SD Upscale, and the webui's older SD upscale.

- `growing`: the source enlarged, piece by piece. `quilt`: tiles sewn together where they overlap.
- `patches`: the masks of tiles and seams, and which part of the picture each needs. `pieces`: one of them painted.
- `ultimate`, `sd_upscale`: the two ways, as generators. `preparing`: from a request to a job.

Where tiles lie is `inference.api.tiles`. Nothing here holds more than the picture itself, 8 bits a colour, and one tile.
"""
