"""The one entry: python -m tools.default_model <command>."""

import argparse
from importlib import import_module
from pathlib import Path

import torch

from tools.default_model.training import Run

HERE = Path(__file__).parent
# command -> (default minutes, batch, learning rate)
COMMANDS = {
    "build": (0, 0, 0.0),
    "vae": (35, 16, 2e-3),
    "text": (2, 24, 1e-3),
    "overfit": (10, 16, 1.5e-3),
    "painter": (90, 16, 1e-3),
    "judge": (2, 64, 2e-3),
    "progress": (0, 0, 0.0),
    "export": (0, 0, 0.0),
    "evaluate": (0, 0, 0.0),
}


def main() -> None:
    """Read the options and run one part; every part has `train(run)`, or `main(run)` where nothing is trained."""
    parser = argparse.ArgumentParser(prog="python -m tools.default_model", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--data", type=Path, default=HERE / "data", help="folder of the sprites and the training states"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, help="train this long, wall clock")
    parser.add_argument(
        "--threads", type=int, default=0, help="processor threads; 0 uses the cores that nobody else does"
    )
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rate", type=float, help="peak learning rate")
    parser.add_argument("--resume", action="store_true", help="go on from the state in the data folder")
    parser.add_argument(
        "--part",
        default="all",
        choices=("all", "decoder", "plain"),
        help="vae, export: 'decoder' alone, of the exported file where no state is resumed; "
        "painter, evaluate, progress: 'plain' is the world without counts, places, 3D",
    )
    parser.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        default=torch.cuda.is_available(),
        help="compute in bfloat16; slower on processors without instructions for it",
    )
    parser.add_argument("--sources", type=Path, help="build: folder of the unpacked packages")
    chosen = parser.parse_args()
    minutes, batch, rate = COMMANDS[chosen.command]
    run = Run(
        data=chosen.data,
        device=torch.device(chosen.device),
        minutes=chosen.minutes or minutes,
        threads=chosen.threads,
        batch=chosen.batch or batch,
        rate=chosen.rate or rate,
        resume=chosen.resume,
        part=chosen.part,
        sample_dtype=torch.bfloat16 if chosen.bfloat16 else torch.float32,
    )
    module = import_module(f"tools.default_model.{chosen.command}")
    if chosen.command == "build":
        module.build(chosen.sources, run.data)
    else:
        module.train(run) if hasattr(module, "train") else module.main(run)


if __name__ == "__main__":
    main()
