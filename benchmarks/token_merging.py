"""What token merging saves, on the transformer block of SD 1.5 where it has most tokens: medians of one run.

`python -m benchmarks.token_merging [SIDE …]` runs that block (320 channels, 8 heads; five of a UNet's sixteen) for
pictures of SIDE pixels (512 and 768 unless given), once as it is and once with each ratio, and prints milliseconds and
parts of the time without. Random weights and tokens: the time does not depend on them, how a picture looks does. For two
rows; on the graphics card where there is one, in half precision. Prints; judges nothing.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch
from diffusers.models.attention import BasicTransformerBlock
from torch import nn

from inference.engine.token_merging import merge_tokens

RATIOS, ROUNDS = (0.0, 0.25, 0.5, 0.75), 5
WIDTH, HEADS, WORDS = 320, 8, 768


class OneBlock(nn.Module):
    """As much of a UNet as merges: a latent goes in, its places are tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.block = BasicTransformerBlock(WIDTH, HEADS, WIDTH // HEADS, cross_attention_dim=WORDS)

    def forward(self, sample: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Sample (N, 320, h, w) to tokens (N, h·w, 320)."""
        return self.block(sample.flatten(2).transpose(1, 2), encoder_hidden_states=words)


def median(run: Callable[[], object], device: str) -> float:
    """Median milliseconds of `run`, after one that does not count."""
    found: list[float] = []
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        if number:
            found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


@torch.inference_mode()
def main() -> None:
    """Measure and print."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float16 if device == "cuda" else torch.float32
    network = OneBlock().to(device, dtype).eval()
    print(
        f"one transformer block of SD 1.5, two rows, {device}, {str(dtype).removeprefix('torch.')}, medians of {ROUNDS}"
    )
    for side in [int(text) for text in sys.argv[1:]] or (512, 768):
        sample = torch.randn(2, WIDTH, side // 8, side // 8, device=device, dtype=dtype)
        words = torch.randn(2, 77, WORDS, device=device, dtype=dtype)
        whole = 0.0
        for ratio in RATIOS:
            merge_tokens(network, ratio=ratio)
            taken = median(lambda sample=sample, words=words: network(sample, words), device)
            whole = whole or taken
            print(f"  {side}², ratio {ratio:<5g}{taken:10.1f} ms{taken / whole:8.2f}×", flush=True)
        merge_tokens(network, ratio=0.0)


if __name__ == "__main__":
    main()
