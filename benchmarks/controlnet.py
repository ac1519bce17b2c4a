"""A step with a ControlNet through the engine, beside diffusers' StableDiffusionControlNetPipeline on the same weights.

Run: python -m benchmarks.controlnet [SIDE] [STEPS] [WIDTH]. SD 1.5's UNet and a ControlNet for it, random weights in fp32 on
the CPU (about 6 GB; with a WIDTH of 64 in place of 320 a fifth as wide, and 0.3 GB), two rows a step (guidance). Prints seconds
a step of each, best of two alternating rounds, and the ratio; then how much two jobs at once cost beside one, and what a unit
costs beside none.
"""

import sys
import time
from typing import Any

import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, StableDiffusionControlNetPipeline
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from inference.engine.control.controlnets import ControlNet
from inference.engine.control.units import Control
from inference.engine.families import FAMILIES
from inference.engine.forward import Forwards, PaintingModel, Row
from inference.engine.guidance import Conditions, NoiseLevels
from inference.engine.noise_table import default_alphas

ROUNDS = 2
SCALE = 7.5


def random_weights(module: Any) -> Any:
    """`module`, built without memory, with random weights (made quickly: initialisation takes longer than what is measured)."""
    module = module.to_empty(device="cpu").requires_grad_(requires_grad=False).eval()
    for weight in module.parameters():
        weight.uniform_(-0.02, 0.02)
    return module


def build(width: int) -> tuple[UNet2DConditionModel, ControlNetModel, ControlNet]:
    """A UNet, a ControlNet for diffusers, and one with the same weights for the engine."""
    config = FAMILIES["sd1"].config()["unet"] | {"block_out_channels": [width, 2 * width, 4 * width, 4 * width]}
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config)
        nets = [ControlNetModel.from_unet(unet, load_weights_from_unet=False) for _ in range(2)]
    unet, first, second = random_weights(unet), *(random_weights(net) for net in nets)
    second.load_state_dict(first.state_dict(), assign=True)
    return unet, first, ControlNet(second)


def their_step(
    pipeline: StableDiffusionControlNetPipeline, hint: torch.Tensor, words: torch.Tensor, *, steps: int
) -> float:
    """Seconds a step of the pipeline, its decoding left out."""
    began = time.perf_counter()
    pipeline(
        image=hint,
        prompt_embeds=words,
        negative_prompt_embeds=words * 0.5,
        guidance_scale=SCALE,
        num_inference_steps=steps,
        output_type="latent",
        width=hint.shape[-1],
        height=hint.shape[-2],
    )
    return (time.perf_counter() - began) / steps


def our_step(
    model: PaintingModel, net: ControlNet | None, hint: torch.Tensor, words: torch.Tensor, *, steps: int, jobs: int = 1
) -> float:
    """Seconds a step of the engine's forwards; the map is read within the first, as in a job."""
    forwards, conditions = Forwards(), (Conditions(words), Conditions(words * 0.5))
    controls = tuple(Control(net, hint, (1.0,) * net.count) for net in [net] if net is not None)
    x = torch.randn(1, 4, hint.shape[-2] // 8, hint.shape[-1] // 8)
    began = time.perf_counter()
    for number in range(steps):
        sigma = 14.0 / (number + 1)
        rows = [Row(x, sigma, each, controls=controls) for _ in range(jobs) for each in conditions]
        wanted, unwanted = forwards.evaluate(model, rows)[:2]
        x = x + ((x - (unwanted + (wanted - unwanted) * SCALE)) / sigma) * 0.1
    return (time.perf_counter() - began) / steps


@torch.inference_mode()
def main() -> None:
    """Measure and print."""
    side, steps, width = (int(value) for value in (*sys.argv[1:], *("256", "3", "320")[len(sys.argv) - 1 :]))
    unet, theirs, ours = build(width)
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    pipeline = StableDiffusionControlNetPipeline(
        vae=vae, text_encoder=None, tokenizer=None, unet=unet, controlnet=theirs, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    model = PaintingModel(unet, vae, 0.18215, "epsilon", NoiseLevels(default_alphas()))
    hint, words = torch.rand(1, 3, side, side), torch.randn(1, 77, 768)
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, measured in (
            ("diffusers", lambda: their_step(pipeline, hint, words, steps=steps)),
            ("engine", lambda: our_step(model, ours, hint, words, steps=steps)),
            ("engine, no control", lambda: our_step(model, None, hint, words, steps=steps)),
            ("engine, two jobs", lambda: our_step(model, ours, hint, words, steps=steps, jobs=2)),
        ):
            best[name] = min(best.get(name, float("inf")), measured())
    for name, seconds in best.items():
        print(f"{name:20} {seconds:7.3f} s a step")
    print(f"engine / diffusers: {best['engine'] / best['diffusers']:.2f}")
    print(f"two jobs / one:     {best['engine, two jobs'] / best['engine']:.2f}")
    print(f"with / without:     {best['engine'] / best['engine, no control']:.2f}")


if __name__ == "__main__":
    main()
