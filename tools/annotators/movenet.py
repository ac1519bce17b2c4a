"""Makes `models/annotators/movenet-lightning.fp16.safetensors` from the model as it is published for TensorFlow.js.

`python -m tools.annotators.movenet movenet-lightning.json OUT` reads the graph and the weights beside it (npm package
`@vladmandic/human`, folder `models`): the weights stay what they are, 16-bit numbers; the graph goes into the file's notes in
plain JSON, with the names and attributes that `inference/engine/annotators/graph.py` reads.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

PREFIX = "StatefulPartitionedCall/"
KEPT = ("padding", "fused_ops", "axis", "squeeze_dims", "half_pixel_centers", "align_corners", "DstT")
NOTES = {
    "format": "easel-graph",
    "title": "MoveNet SinglePose Lightning",
    "author": "Google",
    "license": "Apache-2.0",
}


def plain(value: dict[str, Any]) -> Any:
    """A TensorFlow attribute as plain JSON."""
    match value:
        case {"s": text}:
            return base64.b64decode(text).decode()
        case {"i": number}:
            return int(number)
        case {"list": {"s": texts}}:
            return [base64.b64decode(text).decode() for text in texts]
        case {"list": {"i": numbers}}:
            return [int(number) for number in numbers]
        case {"list": _}:
            return []
        case _:
            return next(iter(value.values()))


def short(name: str) -> str:
    """A node's name without what all names begin with."""
    return name.removeprefix(PREFIX)


def slim(node: dict[str, Any]) -> dict[str, Any]:
    """A node of the graph with what is needed to run it."""
    attributes = {key: plain(value) for key, value in (node.get("attr") or {}).items()}
    kept = {key: attributes[key] for key in KEPT if attributes.get(key) not in (None, [])}
    kept |= {key: attributes[key][1:3] for key in ("strides", "dilations") if key in attributes}
    found: dict[str, Any] = {"name": short(node["name"]), "op": node["op"]}
    if inputs := [short(name) for name in node.get("input") or [] if not name.startswith("^")]:
        found["input"] = inputs
    return found | ({"attr": kept} if kept and node["op"] != "Const" else {})


def weights(path: Path, manifest: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """The arrays that `manifest` describes, read from the files beside `path`."""
    found: dict[str, np.ndarray] = {}
    for group in manifest:
        data, at = b"".join((path.parent / name).read_bytes() for name in group["paths"]), 0
        for entry in group["weights"]:
            half = entry.get("quantization", {}).get("dtype") == "float16"
            kind = np.dtype("<f2" if half else {"int32": "<i4", "float32": "<f4"}[entry["dtype"]])
            count = int(np.prod(entry["shape"]))
            found[short(entry["name"])] = np.frombuffer(data, kind, count, at).reshape(entry["shape"]).copy()
            at += count * kind.itemsize
    return found


def main(source: Path, out: Path) -> None:
    """Convert `source` (model.json) to `out` (.safetensors)."""
    model = json.loads(source.read_text("utf-8"))
    graph = [slim(node) for node in model["modelTopology"]["node"]]
    text = json.dumps(graph, separators=(",", ":"))
    save_file(weights(source, model["weightsManifest"]), out, metadata={**NOTES, "graph": text})
    print(f"{out}: {len(graph)} nodes, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
