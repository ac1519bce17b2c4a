"""What a running generator may ask of the engine's loop, and what it is sent back.

A picture (or an upscale, or a training step) is a plain generator: it yields one of these values and is sent the
result. The loop batches like work of different jobs into one call. Generators know nothing of batching, progress,
previews or cancelling.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Ask for the guided, denoised estimate of `x` at noise level `sigma`; a Tensor like `x` comes back.

    `x` is (B, C, H, W) fp32 in k-diffusion's convention (variance exploding: clean latent + sigma * noise). Samplers that
    think in variance-preserving x and timesteps convert: x_ve = x_vp / sqrt(alpha_bar), eps = (x_ve - D) / sigma.
    With `pair` the answer is the tuple (guided D, unconditional D), which DDIM CFG++ needs.

    `timestep` is what the network is told, 0 to 999, not always whole; None leaves it to the model's own noise levels. A
    sampler that `walks_in_time` has its timesteps compared where others have sigma (minimum sigma of the negative).

    `hint` (1, C', H, W) fp32 are further channels that a network made for inpainting sees beside x. `controls` steer it: the
    units (`control.units.Control`) that act at this call.
    """

    x: Tensor
    sigma: float
    pair: bool = False
    timestep: float | None = None
    walks_in_time: bool = False
    hint: Tensor | None = None
    controls: tuple[Any, ...] = ()

    @property
    def level(self) -> float:
        """What the webui calls sigma here: sigma, or the timestep of a sampler that walks in time."""
        return self.timestep if self.walks_in_time and self.timestep is not None else self.sigma


@dataclass(frozen=True, slots=True)
class Encode:
    """Ask for the scaled latent (1, C, H/8, W/8) fp32 of `pixels` (1, 3, H, W) fp32 in [-1, 1] (the posterior's mode)."""

    pixels: Tensor


@dataclass(frozen=True, slots=True)
class Decode:
    """Ask for the pixels (1, 3, H, W) fp32, about [-1, 1], of a scaled latent (1, C, H/8, W/8)."""

    latent: Tensor


@dataclass(frozen=True, slots=True)
class UpscaleTile:
    """Ask `network`, an upscaler that was borrowed, for `tile` (1, 3, h, w) fp32 in [0, 1]; (1, 3, h*s, w*s) comes back.

    `cost` is in latent pixels through the UNet.
    """

    network: Any
    tile: Tensor
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class Apply:
    """Ask any `network` (a module) for its answer to `inputs`, tensors of one row each; a Tensor of one row comes back.

    Jobs that ask the same network with inputs of the same shapes share a batch. `cost` is in latent pixels through the UNet.
    """

    network: Any
    inputs: tuple[Tensor, ...]
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class Borrow:
    """Ask for the upscaler called `name`, as `Shelf.upscaler` lends it. Answered at once."""

    name: str


@dataclass(frozen=True, slots=True)
class TakeUp:
    """Ask to go on with another model or other words: `brushes` makes them now. Answered at once, with the model.

    A `fresh` pass counts its model calls from the beginning; a refiner goes on counting.
    """

    brushes: Callable[[], Any]
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Show:
    """Tell whoever waits how the picture stands: `picture` is a small RGB copy of it. Answered at once, with nothing.

    Who shows it themselves is not previewed by the loop any more.
    """

    picture: Image


@dataclass(frozen=True, slots=True)
class Together:
    """Ask for what `paintings` return, in order, as a list; none of them waits for another, so the loop batches them."""

    paintings: "tuple[Painting, ...]"


Work = Evaluate | Encode | Decode | UpscaleTile | Apply

Order = TakeUp | Borrow | Show | Together
"""What the loop answers without any network."""

Sampling = Generator[Evaluate, Any, Tensor]
"""A sampler at work: asks for estimates, returns the final latent."""
Painting = Generator[Work | Order, Any, Image]
"""A picture at work: returns it finished, as 8-bit RGB."""
