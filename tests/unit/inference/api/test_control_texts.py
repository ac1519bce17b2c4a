"""ControlNet units in parameter texts: as the webui's extension writes them, and what of its texts is understood."""

from inference.api.control import ControlUnit, Preprocessor
from inference.api.infotext import Resolved, control_facts, read_infotext, resolve
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from inference.api.result import Inventory, ModelFile

INVENTORY = Inventory(
    checkpoints=(ModelFile("dream", "/m/Stable-diffusion/dream.safetensors", "0123456789", "sd1"),),
    controls=(
        ModelFile("control_v11p_sd15_canny", "/m/ControlNet/control_v11p_sd15_canny.pth", "d14c016b", "sd1"),
        ModelFile("renamed", "/m/ControlNet/renamed.safetensors", "cfd03158", "sd1"),
    ),
)
BASE = GenerationRequest(prompt=Prompt(""), canvas=Canvas(512, 512), seeds=Seeds(1), model=ModelRef("dream"))
TAIL = "Steps: 20, Sampler: Euler a, CFG scale: 5, Seed: 7, Size: 512x768"
SHA = "ab" * 32
UNIT = (
    "Module: canny, Model: control_v11p_sd15_canny [d14c016b], Weight: 0.8, Resize Mode: Resize and Fill, "
    "Processor Res: 512, Threshold A: 100, Threshold B: 200, Guidance Start: 0.1, Guidance End: 0.9, "
    "Pixel Perfect: True, Control Mode: My prompt is more important"
)


def told(*pairs: str) -> Resolved:
    """What a text with these further parameters becomes."""
    return resolve(read_infotext(f"a fox\n{', '.join((TAIL, *pairs))}"), INVENTORY, base=BASE)


def test_a_unit_is_written_as_the_extension_writes_it() -> None:
    """Eleven fields in its order and words; what it has no word for is under a key of Easel's own."""
    unit = ControlUnit(
        "control_v11p_sd15_canny",
        picture=SHA,
        preprocessor=Preprocessor("canny", resolution=512, pixel_perfect=True, threshold_a=100, threshold_b=200),
        weight=0.8,
        start=0.1,
        end=0.9,
        mode="prompt",
        resize_mode=2,
        during="second pass",
    )
    assert control_facts((unit,), {unit.model: "d14c016b"}) == {
        "ControlNet 0": UNIT,
        "Control 0": f"Picture: {SHA}, Hr Option: High res only",
    }
    assert told(
        f'ControlNet 0: "{UNIT}"', f'Control 0: "Picture: {SHA}, Hr Option: High res only"'
    ).request.control == (unit,)


def test_foreign_units_are_left_out_and_said() -> None:
    """A text of the webui carries no picture: its unit is named with what is missing, and the words are painted."""
    found = told(f'ControlNet 0: "{UNIT}"', 'ControlNet 1: "Module: none, Model: nowhere [12345678], Weight: 1"')
    assert found.request.control == ()
    assert found.notes == (
        "“control_v11p_sd15_canny” followed a picture, which a text does not carry; it was left out.",
        "The ControlNet “nowhere [12345678]” is not here; the picture was painted without it.",
    )


def test_files_are_found_by_hash_first() -> None:
    """A renamed file is known by its hash; another file of the same name is taken, and said."""
    own = f'Control 0: "Picture: {SHA}"'
    (unit,) = told('ControlNet 0: "Model: control_v11f1p_sd15_depth [cfd03158], Weight: 1"', own).request.control
    assert unit.model == "renamed"
    found = told('ControlNet 0: "Model: control_v11p_sd15_canny [99999999]"', own)
    assert [unit.model for unit in found.request.control] == ["control_v11p_sd15_canny"]
    assert any("another file" in note for note in found.notes)


def test_old_and_odd_values_are_understood() -> None:
    """Old names of resize modes count; what is out of range or no number is bounded or left to the usual, and said."""
    found = told(
        'ControlNet 0: "Module: canny, Model: renamed, Weight: 9, Resize Mode: Envelope (Outer Fit), Processor Res: -1, '
        'Threshold A: much, Guidance End: 0.5, Hr Option: Low res only"',
        f'Control 0: "Picture: {SHA}"',
    )
    (unit,) = found.request.control
    assert (unit.weight, unit.resize_mode, unit.end, unit.during) == (2.0, 2, 0.5, "first pass")
    assert unit.preprocessor == Preprocessor("canny")
    assert found.notes == ("“Threshold A: much” of a ControlNet is not a number; -1 was taken.",)


def test_units_that_cannot_be_are_left_out() -> None:
    """A start after the end and a preprocessor that is not here leave the unit out, with a sentence."""
    own = f'Control 0: "Picture: {SHA}"'
    late = told('ControlNet 0: "Model: renamed, Guidance Start: 0.9, Guidance End: 0.2"', own)
    odd = told('ControlNet 0: "Module: magic, Model: renamed"', own)
    assert late.request.control == odd.request.control == ()
    assert "the start first" in late.notes[0]
    assert odd.notes == ("There is no preprocessor “magic” here; “renamed” was left out.",)


def test_the_first_extension_is_known_by_name() -> None:
    """Texts of before units had entries of their own are told apart by their keys."""
    for key in ("ControlNet Enabled: True", "ControlNet-0 Enabled: True"):
        assert told(key).notes == ("ControlNet was used, and its pictures are not in the text.",)
