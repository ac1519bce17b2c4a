"""Steering by pictures: ControlNets and T2I adapters, from their files to the residuals that a UNet is handed.

- `files`: which kind of file, by its header. `keys`: from a file's names to those of diffusers' modules.
- `nets`: files into modules that fit a checkpoint's UNet. `merging`: files that hold differences.
- `scales`: how strongly a unit acts, and when. `units`: one unit at work on one row. `residuals`: all of them in a batch.
- `hints`: the maps and hints of one job. `ordering`: what a request's units need, refused before anything is painted.

The arithmetic follows the webui's ControlNet extension (v1.1) and Zhang et al. 2023, "Adding Conditional Control to
Text-to-Image Diffusion Models"; Mou et al. 2023, "T2I-Adapter". Refuses to know how a picture becomes a map.
"""
