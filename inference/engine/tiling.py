"""Pictures that join with themselves: every convolution wraps around the edges instead of seeing zeros beyond them.

A setting of the network, so each forward says how it wants it; what the last one wanted is remembered.
"""

from typing import Any

from torch import nn


def wrap_edges(network: Any, *, on: bool) -> None:
    """Let each Conv2d of `network` pad circularly (`on`) or with zeros. Cheap where nothing changes."""
    if getattr(network, "edges_wrap", False) == on:
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "circular" if on else "zeros"
    network.edges_wrap = on
