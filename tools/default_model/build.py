"""Draw emoji from the unpacked packages into one file of captioned sprites, `sprites.npz`.

`--sources` is a folder with the unpacked npm packages `emojibase-data`, `noto` and `fluent-emoji-flat` (of the scope
@iconify-json) and `fluent-emoji-3d` (of the scope @lobehub), each under its own name. The file holds `blob` (WebP
pictures with alpha, one after the other), `offsets` (int64 [N + 1]) and `meta` (JSON, one object a sprite: label, tags,
style).
"""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 128
SETS = {"noto": "noto", "fluent flat": "fluent-emoji-flat"}  # style -> folder of a package of drawings
SOLID = {"3d": "fluent-emoji-3d"}  # style -> folder of a package of pictures, named by code point in `assets`
GROUPS = {0, 3, 4, 5, 6, 7}  # emojibase's faces, nature, food, places, activities and objects; no people, no flags
# What a studio for everybody should not draw unasked: weapons, alcohol, tobacco, bodies, religion, death
REFUSED = re.compile(
    r"poo\b|middle finger|cigarette|coffin|headstone|urn\b|dagger|bomb|pistol|syringe|blood|toilet|kaaba|hamsa|nazar|"
    r"prayer|bikini|briefs|swimsuit|lipstick|sake|beer|wine|cocktail|popping cork|clinking|vomit|wedding|love hotel|"
    r"skull|horns\b|symbols on mouth|goblin|ogre|x-ray|pill\b|crutch|cockroach|mosquito|microbe|banknote|slot machine|"
    r"crossed swords|fight cloud|kiss|church|mosque|temple|synagogue|shrine|cross\b|menorah|wheel of dharma",
    re.IGNORECASE,
)


def build(sources: Path | None, data: Path) -> None:
    """Write `sprites.npz` into the data folder."""
    if sources is None:
        raise SystemExit(
            "Say where the unpacked packages are: --sources FOLDER (see tools/default_model/requirements.txt)."
        )
    about, pictures = [], []
    for meta, picture in sprites(sources):
        about.append(meta)
        pictures.append(_webp(picture))
    offsets = np.cumsum([0, *map(len, pictures)]).astype(np.int64)
    data.mkdir(parents=True, exist_ok=True)
    meta_bytes = np.frombuffer(json.dumps(about, separators=(",", ":")).encode(), np.uint8)
    np.savez(data / "sprites.npz", blob=np.frombuffer(b"".join(pictures), np.uint8), offsets=offsets, meta=meta_bytes)
    print(f"{len(about)} sprites of {len({meta['label'] for meta in about})} labels, {offsets[-1] / 1e6:.1f} MB")


def sprites(sources: Path) -> Iterator[tuple[dict[str, Any], Image.Image]]:
    """Every emoji of every set that is not refused: what is known of it, and its RGBA picture."""
    emoji = json.loads((sources / "emojibase-data/en/data.json").read_text(encoding="utf-8"))
    kept = [e for e in emoji if e.get("group") in GROUPS and not REFUSED.search(e["label"])]
    for style, folder in SETS.items():
        icons = json.loads((sources / folder / "icons.json").read_text(encoding="utf-8"))
        names = json.loads((sources / folder / "chars.json").read_text(encoding="utf-8"))
        named = {_plain(code): name for code, name in names.items()}
        for e in kept:
            name = named.get(_plain(e["hexcode"].lower()))
            if name in icons["icons"]:
                yield _known(e, style), draw(icons, name)
    for style, folder in SOLID.items():
        files = {_plain(file.stem): file for file in sorted((sources / folder / "assets").iterdir())}
        for e in kept:
            if file := files.get(_plain(e["hexcode"].lower())):
                picture = Image.open(file).convert("RGBA")
                yield _known(e, style), picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _known(emoji: dict[str, Any], style: str) -> dict[str, Any]:
    tags = [tag.lower() for tag in emoji.get("tags", []) if not REFUSED.search(tag)][:4]
    return {"label": emoji["label"].lower(), "tags": tags, "style": style}


def draw(icons: dict[str, Any], name: str) -> Image.Image:
    """One icon of an Iconify set as a square RGBA picture of 128 pixels."""
    import resvg_py

    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}" width="{SIDE}" height="{SIDE}">'
        f"{icon['body']}</svg>"
    )
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA")
    return picture if picture.size == (SIDE, SIDE) else picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _plain(code: str) -> str:
    return code.replace("-fe0f", "")  # the sign that asks for the coloured form; the sets differ in writing it


def _webp(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=88, method=4, alpha_quality=90)
    return file.getvalue()
