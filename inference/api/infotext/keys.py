"""What becomes of each key of a parameter text: the table from which `docs/infotext.md` is made.

A test holds `HONOURED` to what `resolving` really asks for.
"""

import msgspec


class KeyRow(msgspec.Struct, frozen=True):
    """A key, and what becomes of it in a few words. `prefix`: every key that begins so."""

    key: str
    what: str
    prefix: bool = False


HONOURED: tuple[KeyRow, ...] = (
    KeyRow("Steps", "Sampler steps, at most 150."),
    KeyRow("Sampler", "By label, by NovelAI's ids, or joined with a schedule as before 1.9.0 (“DPM++ 2M Karras”)."),
    KeyRow("Schedule type", "Where it is missing and the sampler names none: uniform, as it was then."),
    KeyRow("CFG scale", "0 to 30."),
    KeyRow("Seed", "-1 or nonsense becomes a new one."),
    KeyRow("Size", "Rounded down to multiples of 8."),
    KeyRow("Model hash", "Ten digits, or the eight of the old kind: found among the local files first of all."),
    KeyRow("Model", "By name, where no file has the hash."),
    KeyRow("VAE hash", "As for models."),
    KeyRow("VAE", "A text without one means the checkpoint's own, from 1.6.0 on."),
    KeyRow("Variation seed", "With its strength."),
    KeyRow("Variation seed strength", "0 to 1."),
    KeyRow("Seed resize from", "Noise of another size, pasted in the middle."),
    KeyRow("Denoising strength", "Of hires fix, or of the picture it began from."),
    KeyRow("Conditional mask weight", "For checkpoints made for inpainting."),
    KeyRow("Clip skip", "1 to 12; SD2 and SDXL do not use it."),
    KeyRow("ENSD", "Eta noise seed delta."),
    KeyRow("RNG", "GPU and NV are the same numbers; CPU is torch's."),
    KeyRow("Token merging ratio", "0 to 0.9: the share of tokens that self-attention merges where it has most."),
    KeyRow("Token merging ratio hr", "The same in the second pass; 0 or missing: as the first."),
    KeyRow("Tiling", "Edges that join with themselves."),
    KeyRow("Init image hash", "Easel's own (64 digits) is looked up among the pictures that are kept."),
    KeyRow("Mask hash", "Easel's own."),
    KeyRow("Mask mode", "“Inpaint not masked” swaps the sides."),
    KeyRow("Mask blur", "Pixels."),
    KeyRow("Mask blur Y", "Easel's own: pixels downwards, where they differ."),
    KeyRow("Inpaint area", "“Only masked” paints the part enlarged."),
    KeyRow("Masked area padding", "Pixels."),
    KeyRow("Masked content", "fill, original, latent noise, latent nothing."),
    KeyRow("Soft mask", "Easel's own: soft edges in the latent too."),
    KeyRow("Resize mode", "Easel's own: how the source was brought to size."),
    KeyRow("Upscaler for img2img", "Easel's own."),
    KeyRow("Exact steps", "Easel's own: img2img with all its steps."),
    KeyRow("Noise multiplier", "Scales the noise over a source."),
    KeyRow("Color correction", "Towards the source's colours."),
    KeyRow("Extra noise", "Over a source or the enlargement."),
    KeyRow("Hires checkpoint", "By hash, then by name."),
    KeyRow("Hires sampler", "By label."),
    KeyRow("Hires schedule type", "By label."),
    KeyRow("Hires prompt", "The second pass's own."),
    KeyRow("Hires negative prompt", "The second pass's own."),
    KeyRow("Hires CFG Scale", "Forge's."),
    KeyRow("Hires upscale", "1 to 8."),
    KeyRow("Hires resize", "A 0 is in proportion."),
    KeyRow("Hires steps", "0 or missing: as the first pass."),
    KeyRow("Hires upscaler", "Latent ones, Lanczos, Nearest, and networks that are here."),
    KeyRow("First pass size", "Old hires fix; 0x0 means the area of 512²."),
    KeyRow("Lora hashes", "A tag is renamed to the local file with that hash."),
    KeyRow("TI hashes", "Learned words that are missing or other ones are named."),
    KeyRow("Hypernet", "Becomes a tag."),
    KeyRow("Hypernet strength", "Of that tag."),
    KeyRow("AddNet ", "LoRAs of the old extension become tags.", prefix=True),
    KeyRow("Emphasis", "Original, No norm, Ignore, None."),
    KeyRow("Eta", "Of ancestral samplers."),
    KeyRow("Eta DDIM", "Of DDIM and its relatives."),
    KeyRow("Sigma churn", "Of Euler, Heun and DPM2."),
    KeyRow("Sigma tmin", "Of the same."),
    KeyRow("Sigma tmax", "Of the same."),
    KeyRow("Sigma noise", "Scale of a sampler's own noise."),
    KeyRow("Schedule min sigma", "0 is the schedule's own."),
    KeyRow("Schedule max sigma", "0 is the schedule's own."),
    KeyRow("Schedule rho", "0 is the schedule's own."),
    KeyRow("Beta schedule alpha", "Also as “Beta scheduler alpha”."),
    KeyRow("Beta scheduler alpha", "The webui's other spelling."),
    KeyRow("Beta schedule beta", "Also as “Beta scheduler beta”."),
    KeyRow("Beta scheduler beta", "The webui's other spelling."),
    KeyRow("Old Karras sigmas", "Easel's own: 0.1 to 10."),
    KeyRow("Discard penultimate sigma", "Always."),
    KeyRow("SGM noise multiplier", "Of the first noise."),
    KeyRow("Quantize timesteps", "Easel's own."),
    KeyRow("Downcast alphas_cumprod", "The noise table in half precision; set for versions before 1.7.0-225."),
    KeyRow("Noise Schedule", "Zero Terminal SNR."),
    KeyRow("UniPC variant", "bh1, bh2, vary_coeff."),
    KeyRow("UniPC skip type", "time_uniform, time_quadratic, logSNR."),
    KeyRow("UniPC order", "At most the steps."),
    KeyRow("UniPC lower order final", "False keeps the order to the end."),
    KeyRow("NGMS", "Negative guidance minimum sigma."),
    KeyRow("NGMS all steps", "At every call, not every other."),
    KeyRow("Skip Early CFG", "Share of the calls without negative prompt."),
    KeyRow("CFG Rescale phi", "RescaleCFG."),
    KeyRow("Pad conds", "Prompt and negative made equally long with empty windows."),
    KeyRow("Pad conds v0", "The old way; set for DDIM and PLMS before 1.6.0."),
    KeyRow("Old prompt editing timelines", "Set for versions before 1.6.0."),
    KeyRow("Refiner", "A checkpoint that takes over: an SDXL refiner, or any of the same kind."),
    KeyRow("Refiner switch at", "0 to 1."),
    KeyRow("Refiner switch by sampling steps", "Set for versions before 1.8.0."),
    KeyRow("Hires refiner pass", "In which pass it takes over."),
    KeyRow("Ultimate SD upscale upscaler", "What enlarges the source; the text's size is what it becomes."),
    KeyRow("Ultimate SD upscale tile_width", "Pixels; 0 copies the height."),
    KeyRow("Ultimate SD upscale tile_height", "Pixels; 0 copies the width."),
    KeyRow("Ultimate SD upscale mask_blur", "Pixels."),
    KeyRow("Ultimate SD upscale padding", "Pixels."),
    KeyRow("Ultimate SD upscale type", "Easel's own: Chess, or None for seams alone."),
    KeyRow("Ultimate SD upscale seams fix", "Easel's own: how seams are mended."),
    KeyRow("Ultimate SD upscale seams fix denoise", "Easel's own: with what strength."),
    KeyRow("Ultimate SD upscale seams fix width", "Easel's own: pixels of a band."),
    KeyRow("Ultimate SD upscale seams fix mask_blur", "Easel's own: pixels."),
    KeyRow("Ultimate SD upscale seams fix padding", "Easel's own: pixels."),
    KeyRow("SD upscale overlap", "Pixels that tiles share; the text's size is a tile's."),
    KeyRow("SD upscale upscaler", "What enlarges the source."),
    KeyRow("SD upscale size", "Easel's own: what the source becomes."),
    KeyRow("Face restoration", "By a file that is here, by its kind (GFPGAN, CodeFormer), or “repaint”."),
    KeyRow("Face restoration weight", "Easel's own: CodeFormer's, or how far faces are painted over."),
    KeyRow("Face restoration visibility", "Easel's own."),
    KeyRow(
        "ControlNet ",
        "A unit with its network and settings. Its picture is not in the text: Easel's own are looked up, others left out.",
        prefix=True,
    ),
    KeyRow("Control ", "Easel's own: which of the pictures that are kept a unit followed, and its pass.", prefix=True),
    KeyRow("Latent Couple", "Divisions, positions, weights and end step of the regions of an AND prompt."),
    KeyRow("Latent Couple feather", "Easel's own: pixels over which their borders are soft."),
)

WITHOUT_EFFECT: tuple[KeyRow, ...] = (
    KeyRow("Version", "Chooses the rules above."),
    KeyRow("User", "Who painted it."),
    KeyRow("Batch size", "A picture does not depend on its batch."),
    KeyRow("Batch pos", "A picture does not depend on its batch."),
    KeyRow("Template", "The prompt is the text as it was painted."),
    KeyRow("Negative Template", "The prompt is the text as it was painted."),
    KeyRow("Wildcard prompt", "The prompt is the text as it was painted."),
    KeyRow("Wildcard negative prompt", "The prompt is the text as it was painted."),
    KeyRow("Styles array", "Styles are in the prompt."),
    KeyRow("Script", "Each cell of a plot has its own text."),
    KeyRow("X ", "A plot's axis.", prefix=True),
    KeyRow("Y ", "A plot's axis.", prefix=True),
    KeyRow("Z ", "A plot's axis.", prefix=True),
    KeyRow("Fixed ", "A plot's axis.", prefix=True),
    KeyRow("Created Date", "When it was painted."),
    KeyRow("Source Identifier", "Which program painted it."),
    KeyRow("VAE Encoder", "Full is the only one."),
    KeyRow("VAE Decoder", "Full is the only one."),
    KeyRow("Cache FP16 weight for LoRA", "Belongs to FP8 weight."),
    KeyRow("Face restoration model", "Belongs to Face restoration."),
    KeyRow("Diffusion in Low Bits", "How the model was kept in memory."),
    KeyRow("Module ", "Text encoders and VAE of Forge, which are in the checkpoint here.", prefix=True),
)

LEFT_OUT: tuple[KeyRow, ...] = (
    KeyRow("Image CFG scale", "instruct-pix2pix checkpoints are not painted with, so the image CFG scale is not used"),
    KeyRow("FP8 weight", "Weights are not stored in 8 bits; the picture differs slightly"),
    KeyRow("Distilled CFG Scale", "That is for Flux models, which Easel does not paint with"),
    KeyRow("ControlNet Enabled", "ControlNet was used, and its pictures are not in the text"),
    KeyRow("ControlNet-", "ControlNet was used, and its pictures are not in the text", prefix=True),
    KeyRow("ADetailer", "ADetailer painted faces or hands again, which is not done here", prefix=True),
    KeyRow("Soft inpainting", "Soft inpainting is not done", prefix=True),
    KeyRow("RP ", "Regions (Regional Prompter) are not painted from a text", prefix=True),
    KeyRow("Tiled Diffusion", "Tiled diffusion is not done from a text", prefix=True),
    KeyRow("Postprocess ", "It was enlarged after it was painted; do that to the result", prefix=True),
    KeyRow("freeu", "FreeU is not used", prefix=True),
    KeyRow("Dynamic thresholding", "Dynamic thresholding is not used", prefix=True),
)
"""Keys whose effect is missing in Easel's picture; `what` is the sentence that says so."""


def find_row(rows: tuple[KeyRow, ...], key: str) -> KeyRow | None:
    """The row for `key`."""
    return next((row for row in rows if key == row.key or (row.prefix and key.startswith(row.key))), None)


def documentation() -> str:
    """The page `docs/infotext.md`."""
    lines = [
        "# What Easel honours of a parameter text",
        "",
        "Made from `inference/api/infotext/keys.py` by `python -m tools.infotext_page`.",
        "A text comes from the clipboard, from a PNG, JPEG or WebP picture, from NovelAI's pictures or from Civitai.",
        "What cannot be honoured is said in words beside the picture.",
        "",
    ]
    for heading, rows in (
        ("Honoured", HONOURED),
        ("Without effect on the picture", WITHOUT_EFFECT),
        ("Left out, and said so", LEFT_OUT),
    ):
        lines += [f"## {heading}", "", "| Key | |", "|---|---|"]
        lines += [f"| {row.key.strip()}{' …' if row.prefix else ''} | {row.what} |" for row in rows]
        lines.append("")
    return "\n".join(lines)
