"""Networks that enlarge pictures: read from their files, cut into tiles, and put together without seams.

- `loading`: a file -> a network. `compact`, `rrdb`: the two kinds that are our own code; `architectures` beside this package
  reads all others. `ldsr`, `ldsr_layout`: latent diffusion super resolution, from its original files.
- `network`: what every network says of itself, and how it enlarges a picture once. `tiles`: where tiles lie and how they
  fade into each other. `mosaic`: the picture that they become.

Owns one pass of one network. The contract of passes and sizes is in `upscale`, the Extras in `extras`.
"""
