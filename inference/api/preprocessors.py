"""The table of preprocessors: how a picture becomes the map that a ControlNet follows.

Owns the rows, the names that parameter texts use for them, and the sliders' ranges (those of the webui's ControlNet extension,
v1.1, and of its first version). The engine holds an id -> function table with the same keys; a contract test compares them.
"""

from collections.abc import Iterable

import msgspec

from inference.api.control import Preprocessor
from inference.api.result import Inventory, ModelFile


class Slider(msgspec.Struct, frozen=True):
    """A number that a preprocessor may be told: what it is called, its range, and what holds where nothing is said."""

    label: str
    low: float
    high: float
    default: float
    step: float

    def settled(self, wanted: float | None) -> float:
        """`wanted`, or the default where nothing was said or the number is out of range (as the extension does)."""
        return self.default if wanted is None or not self.low <= wanted <= self.high else wanted


class PreprocessorRow(msgspec.Struct, frozen=True, kw_only=True):
    """A preprocessor as people choose it.

    `modules` are its names in parameter texts, the one that is written first. `resolution` is the map's short side in pixels,
    0 where the picture keeps its size; `fixed` says that no other can be chosen. `sliders` are threshold A and B, in order.
    `networks` are the kinds of network that can do it, the best first; empty where none is needed. `controls` are the kinds
    of ControlNet that follow its maps.
    """

    id: str
    label: str
    modules: tuple[str, ...]
    resolution: int = 512
    fixed: bool = False
    sliders: tuple[Slider, ...] = ()
    networks: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    help: str = ""


PREPROCESSORS: tuple[PreprocessorRow, ...] = (
    PreprocessorRow(
        id="none",
        label="None",
        modules=("none",),
        resolution=0,
        help="The picture is a map already: it is taken as it is.",
    ),
    PreprocessorRow(
        id="canny",
        label="Canny edges",
        modules=("canny",),
        sliders=(
            Slider("Canny low threshold", 1, 255, 100, 1),
            Slider("Canny high threshold", 1, 255, 200, 1),
        ),
        controls=("canny",),
        help="Thin outlines of everything. Lower thresholds keep more of them.",
    ),
    PreprocessorRow(
        id="invert",
        label="Invert",
        modules=("invert (from white bg & black line)", "invert"),
        resolution=0,
        controls=("lineart", "scribble"),
        help="Dark lines on white paper become light ones on black, as line networks want them.",
    ),
    PreprocessorRow(
        id="threshold",
        label="Threshold",
        modules=("threshold", "binary"),
        sliders=(Slider("Binarization threshold", 0, 255, 127, 1),),
        controls=("scribble",),
        help="White where the picture is light, black elsewhere.",
    ),
    PreprocessorRow(
        id="scribble",
        label="Scribble from a drawing",
        modules=("scribble",),
        controls=("scribble",),
        help="Dark strokes of a drawing become white ones on black.",
    ),
    PreprocessorRow(
        id="scribble_xdog",
        label="Scribble from edges (XDoG)",
        modules=("scribble_xdog",),
        sliders=(Slider("XDoG threshold", 1, 64, 32, 1),),
        controls=("scribble",),
        help="A rough sketch of any picture, by the difference of two blurs.",
    ),
    PreprocessorRow(
        id="lineart_standard",
        label="Line art (standard)",
        modules=("lineart_standard (from white bg & black line)", "lineart_standard"),
        controls=("lineart",),
        help="The lines of a drawing or picture, soft and bright on black.",
    ),
    PreprocessorRow(
        id="openpose",
        label="Pose (OpenPose)",
        modules=("openpose",),
        networks=("openpose", "movenet"),
        controls=("openpose",),
        help="How people stand, as coloured limbs on black. The network that comes with Easel finds one person.",
    ),
    PreprocessorRow(
        id="depth_midas",
        label="Depth (MiDaS)",
        modules=("depth_midas", "depth"),
        networks=("midas", "dpt"),
        controls=("depth",),
        help="How far away everything is: near is white, far is black.",
    ),
    PreprocessorRow(
        id="depth_anything",
        label="Depth (Depth Anything)",
        modules=("depth_anything", "depth_anything_v2"),
        networks=("depth_anything",),
        controls=("depth",),
        help="The same by a newer network, with finer edges.",
    ),
    PreprocessorRow(
        id="normal_midas",
        label="Normals (MiDaS)",
        modules=("normal_midas", "normal_map", "normal"),
        sliders=(Slider("Normal background threshold", 0, 1, 0.4, 0.01),),
        networks=("midas", "dpt"),
        controls=("normal",),
        help="Where surfaces face, in colours, from the slopes of depth.",
    ),
    PreprocessorRow(
        id="softedge_hed",
        label="Soft edges (HED)",
        modules=("softedge_hed", "hed"),
        networks=("hed",),
        controls=("softedge",),
        help="Outlines that leave out texture, brighter where they are surer.",
    ),
    PreprocessorRow(
        id="softedge_hedsafe",
        label="Soft edges (HED, safe)",
        modules=("softedge_hedsafe", "hed_safe"),
        networks=("hed",),
        controls=("softedge",),
        help="The same in three levels, so that nothing of the picture itself remains in them.",
    ),
    PreprocessorRow(
        id="softedge_pidinet",
        label="Soft edges (PiDiNet)",
        modules=("softedge_pidinet", "pidinet"),
        networks=("pidinet",),
        controls=("softedge",),
        help="Outlines by a lighter network.",
    ),
    PreprocessorRow(
        id="softedge_pidisafe",
        label="Soft edges (PiDiNet, safe)",
        modules=("softedge_pidisafe", "pidinet_safe"),
        networks=("pidinet",),
        controls=("softedge",),
        help="The same in three levels.",
    ),
    PreprocessorRow(
        id="scribble_hed",
        label="Scribble from edges (HED)",
        modules=("scribble_hed", "fake_scribble"),
        networks=("hed",),
        controls=("scribble",),
        help="A picture's outlines as somebody would scribble them.",
    ),
    PreprocessorRow(
        id="scribble_pidinet",
        label="Scribble from edges (PiDiNet)",
        modules=("scribble_pidinet", "pidinet_scribble"),
        networks=("pidinet",),
        controls=("scribble",),
        help="The same by a lighter network.",
    ),
    PreprocessorRow(
        id="mlsd",
        label="Straight lines (M-LSD)",
        modules=("mlsd",),
        sliders=(
            Slider("MLSD value threshold", 0.01, 2, 0.1, 0.01),
            Slider("MLSD distance threshold", 0.01, 20, 0.1, 0.01),
        ),
        networks=("mlsd",),
        controls=("mlsd",),
        help="Straight lines only, for rooms and houses.",
    ),
    PreprocessorRow(
        id="seg_ufade20k",
        label="Segmentation (ADE20K)",
        modules=("seg_ufade20k", "segmentation"),
        networks=("segmentation",),
        controls=("seg",),
        help="What each place shows, in ADE20K's colours: sky, wall, tree, person, …",
    ),
    PreprocessorRow(
        id="tile_resample",
        label="Tile",
        modules=("tile_resample",),
        resolution=0,
        sliders=(Slider("Down sampling rate", 1, 8, 1, 0.01),),
        controls=("tile",),
        help="The picture itself, or a smaller one of which the details are invented anew.",
    ),
    PreprocessorRow(
        id="blur_gaussian",
        label="Blur",
        modules=("blur_gaussian", "tile_gaussian"),
        sliders=(Slider("Sigma", 0.01, 64, 9, 0.01),),
        controls=("tile",),
        help="The picture out of focus, so that only its colours and masses are followed.",
    ),
    PreprocessorRow(
        id="shuffle",
        label="Shuffle",
        modules=("shuffle",),
        fixed=True,
        controls=("shuffle",),
        help="The picture swirled until only its colours and textures are left.",
    ),
    PreprocessorRow(
        id="inpaint_global_harmonious",
        label="Inpaint (all in harmony)",
        modules=("inpaint_global_harmonious", "inpaint"),
        resolution=0,
        controls=("inpaint",),
        help="The picture with the masked part left out; the rest may change a little to fit.",
    ),
    PreprocessorRow(
        id="inpaint_only",
        label="Inpaint only",
        modules=("inpaint_only",),
        resolution=0,
        controls=("inpaint",),
        help="The picture with the masked part left out, for inpainting, where the rest stays as it is.",
    ),
)
"""Every preprocessor, in the order in which it is offered."""

_ROWS = {row.id: row for row in PREPROCESSORS}
_MODULES = {module: row for row in PREPROCESSORS for module in (row.id, *row.modules)}


def find_preprocessor(text: str) -> PreprocessorRow | None:
    """The preprocessor of this id, label or name in a parameter text, whatever its case; or None."""
    folded = text.strip().casefold()
    found = _MODULES.get(folded)
    return found or next((row for row in PREPROCESSORS if row.label.casefold() == folded), None)


def row_of(preprocessor: Preprocessor) -> PreprocessorRow | None:
    """The catalogue's row of `preprocessor`; None where its id is unknown."""
    return _ROWS.get(preprocessor.id)


def unknown(preprocessor: Preprocessor) -> str:
    """The sentence for an id that is in no row."""
    return f"There is no preprocessor called “{preprocessor.id}” here; choose one from the list."


def network_for(row: PreprocessorRow, inventory: Inventory) -> ModelFile | None:
    """The file with the network that `row` would run, or None where it needs none or none was found."""
    for kind in row.networks:
        found = next((file for file in inventory.annotators if file.family == kind), None)
        if found is not None:
            return found
    return None


def usable(rows: Iterable[PreprocessorRow], inventory: Inventory) -> tuple[PreprocessorRow, ...]:
    """Those of `rows` that can run with what is in `inventory`."""
    return tuple(row for row in rows if not row.networks or network_for(row, inventory) is not None)


def described(preprocessor: Preprocessor, size: tuple[int, int]) -> str:
    """What the parameter text of a map of `size` (width, height) says: which preprocessor made it, told what.

    Keys are those of the extension's `ControlNet` entries. Names that are not in the catalogue are written as they are.
    """
    row = row_of(preprocessor)
    facts: dict[str, object] = {"Preprocessor": preprocessor.id if row is None else row.modules[0]}
    if row is not None and row.resolution and not preprocessor.pixel_perfect:
        facts["Processor Res"] = (0 if row.fixed else preprocessor.resolution) or row.resolution
    if preprocessor.pixel_perfect:
        facts["Pixel Perfect"] = True
    wanted = preprocessor.threshold_a, preprocessor.threshold_b
    sliders = () if row is None else row.sliders
    for key, slider, value in zip(("Threshold A", "Threshold B"), sliders, wanted, strict=False):
        facts[key] = f"{slider.settled(value):g}"
    if preprocessor.seed:
        facts["Seed"] = preprocessor.seed
    facts["Size"] = f"{size[0]}x{size[1]}"
    return ", ".join(f"{key}: {value}" for key, value in facts.items())
