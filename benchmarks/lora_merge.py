"""Merging a 64-rank LoRA into an SD1-size UNet, and taking it off: ours beside diffusers with peft, in one run.

Run: python -m benchmarks.lora_merge. Random weights in fp32 on the CPU (about 9 GB). Ours reads the file, merges every
attention and feed-forward layer and puts it on, in a wardrobe that lives as long as its checkpoint, as in the engine: two sets
are worn before, and each round asks for another strength, so that none is ready. Theirs is `load_lora_weights` and `fuse_lora`,
then `unfuse_lora` and `unload_lora_weights`. Prints medians of three, alternating, and ours for the first set of all.
"""

import gc
import statistics
import tempfile
import time
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn

from inference.engine.families import FAMILIES
from inference.engine.networks.merge import Adapter, Wardrobe

RANK = 64
ROUNDS = 3


def build_unet() -> UNet2DConditionModel:
    """An SD1 UNet with random weights (made quickly: initialisation takes longer than everything measured)."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**FAMILIES["sd1"].config()["unet"])
    unet = unet.to_empty(device="cpu").requires_grad_(requires_grad=False)
    with torch.no_grad():
        for weight in unet.parameters():
            weight.uniform_(-0.02, 0.02)
    return unet


def write_lora(unet: nn.Module, path: Path) -> int:
    """A half-precision LoRA of every linear layer in the attention blocks, in kohya's naming; how many layers."""
    tensors: dict[str, torch.Tensor] = {}
    for name, module in unet.named_modules():
        if isinstance(module, nn.Linear) and "transformer_blocks" in name:
            layer = "lora_unet_" + name.replace(".", "_")
            tensors[f"{layer}.lora_down.weight"] = (torch.randn(RANK, module.in_features) * 0.02).half()
            tensors[f"{layer}.lora_up.weight"] = (torch.randn(module.out_features, RANK) * 0.02).half()
            tensors[f"{layer}.alpha"] = torch.tensor(float(RANK))
    save_file(tensors, path)
    return len(tensors) // 3


def ours(wardrobe: Wardrobe, path: Path, strength: float) -> tuple[float, float]:
    """Seconds to put on and to take off."""
    start = time.perf_counter()
    wardrobe.wear((Adapter(str(path), unet=strength),))
    on = time.perf_counter()
    wardrobe.wear(())
    off = time.perf_counter()
    return on - start, off - on


def theirs(pipeline: StableDiffusionPipeline, path: Path) -> tuple[float, float]:
    """Seconds to load and fuse, and to unfuse and unload."""
    start = time.perf_counter()
    pipeline.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name="a", local_files_only=True)
    pipeline.fuse_lora(components=["unet"], lora_scale=0.8)
    on = time.perf_counter()
    pipeline.unfuse_lora(components=["unet"])
    pipeline.unload_lora_weights()
    off = time.perf_counter()
    return on - start, off - on


def main() -> None:
    """Measure and print."""
    unet = build_unet()
    pipeline = StableDiffusionPipeline(
        vae=None, text_encoder=None, tokenizer=None, unet=unet, scheduler=None, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rank64.safetensors")
        layers = write_lora(unet, path)
        wardrobe = Wardrobe(unet, [], config=unet.config)
        first, _ = (ours(wardrobe, path, strength)[0] for strength in (0.1, 0.2))
        rounds = []
        for number in range(ROUNDS):
            mine = ours(wardrobe, path, 0.8 + number / 100)
            gc.collect()
            rounds.append((*mine, *theirs(pipeline, path)))
            gc.collect()
    on, off, their_on, their_off = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{layers} layers of rank {RANK}: on {on:.2f} s against {their_on:.2f} s ({on / their_on:.2f}×), ", end="")
    print(f"off {off * 1000:.1f} ms against {their_off:.2f} s; the first set of all on in {first:.2f} s")


if __name__ == "__main__":
    main()
