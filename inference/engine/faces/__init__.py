"""Faces: found, turned upright, mended by a network or painted over, and put back where they were.

- `mtcnn`: the three networks that find faces. `detection`: the cascade that asks them.
- `alignment`: from landmarks to an upright square of 512 pixels, and back under a soft edge.
- `restorers`: files of GFPGAN, CodeFormer and RestoreFormer. `repainting`: the way without such a file.
- `mending`: one picture, all its faces. `preparing`: what a request needs for it.

Everything that a network does is asked of the engine's loop (`work.Apply`), so it waits its turn and shares batches.
"""
