"""How long the start takes to look through 500 model files: the first time, and with everything remembered.

Run: python -m benchmarks.discovery. Prints seconds, medians of five for the warm start. Files are small LoRAs and
embeddings, as large folders mostly hold, each LoRA with a table of tags in its header, notes of 20 KB and a sample picture
beside it; hashing costs what the disk and sha256 take for the real sizes.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from inference.engine.discovery import discover

FILES = 500
LAYER = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn{}_to_{}.lora_{}.weight"

TAGS = json.dumps({"10_set": {f"tag number {n}": n for n in range(2000)}})
NOTES = json.dumps({"trainedWords": ["ink"], "description": "<p>About it.</p>", "files": ["x" * 20_000]})


def build(root: Path) -> None:
    """Write `FILES` files: nine LoRAs for each embedding."""
    (root / "Lora" / "sub").mkdir(parents=True)
    (root / "embeddings").mkdir()
    lora = {
        LAYER.format(block, part, side): torch.ones(4, 320)
        for block in (1, 2)
        for part in "qkv"
        for side in ("up", "down")
    }
    for number in range(FILES):
        if number % 10 == 0:
            save_file(
                {"emb_params": torch.full((4, 768), float(number))}, root / "embeddings" / f"word{number}.safetensors"
            )
        else:
            lora[LAYER.format(1, "q", "up")] = torch.full((4, 320), float(number))
            path = root / "Lora" / "sub" / f"style {number}.safetensors"
            save_file(lora, path, metadata={"ss_output_name": f"s{number}", "ss_tag_frequency": TAGS})
            path.with_suffix(".civitai.info").write_text(NOTES)
            path.with_suffix(".preview.png").write_bytes(b"")


def seconds(root: Path, cache: Path) -> float:
    """One look."""
    start = time.perf_counter()
    inventory = discover([root], cache)
    spent = time.perf_counter() - start
    assert len(inventory.loras) + len(inventory.embeddings) == FILES
    return spent


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "models"), Path(folder, "cache")
        build(root)
        cold = seconds(root, cache)
        warm = statistics.median(seconds(root, cache) for _ in range(5))
    print(f"{FILES} files: first look {cold:.3f} s, remembered {warm:.3f} s")


if __name__ == "__main__":
    main()
