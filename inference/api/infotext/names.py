"""Samplers and schedules by the names that texts use: today's labels, old joint names, other programs' ids."""

from inference.api.catalog import SAMPLERS, SCHEDULES, SamplerRow

_SAMPLERS = {row.label.casefold(): row for row in SAMPLERS}
_BY_ID = {row.id: row for row in SAMPLERS}
_ALIASES: dict[str, str] = {
    "k_euler": "euler",
    "k_euler_a": "euler_a",
    "k_euler_ancestral": "euler_a",
    "k_lms": "lms",
    "k_heun": "heun",
    "k_dpm_2": "dpm2",
    "k_dpm_2_a": "dpm2_a",
    "k_dpm_2_ancestral": "dpm2_a",
    "k_dpm_fast": "dpm_fast",
    "k_dpm_ad": "dpm_adaptive",
    "k_dpm_adaptive": "dpm_adaptive",
    "k_dpmpp_2s_a": "dpmpp_2s_a",
    "k_dpmpp_2s_ancestral": "dpmpp_2s_a",
    "k_dpmpp_2m": "dpmpp_2m",
    "k_dpmpp_sde": "dpmpp_sde",
    "k_dpmpp_2m_sde": "dpmpp_2m_sde",
    "k_dpmpp_2m_sde_heun": "dpmpp_2m_sde_heun",
    "k_dpmpp_3m_sde": "dpmpp_3m_sde",
    "ddim_v3": "ddim",
    "plms": "plms",
    "dpm++ 2s a": "dpmpp_2s_a",
    "dpm2 ancestral": "dpm2_a",
    "euler ancestral": "euler_a",
}
"""Other names of samplers, in lower case: NovelAI's, and the webui's own aliases."""

_SCHEDULES: dict[str, str] = {"sgmuniform": "sgm_uniform"}
for _row in SCHEDULES:
    _SCHEDULES[_row.label.casefold()] = _row.id
    _SCHEDULES.setdefault(_row.id, _row.id)

AUTOMATIC, UNIFORM = "automatic", "uniform"


def find_sampler(name: str) -> SamplerRow | None:
    """The sampler of this label, id or alias, whatever its case."""
    folded = name.strip().casefold()
    return _SAMPLERS.get(folded) or _BY_ID.get(_ALIASES.get(folded, folded))


def find_schedule(name: str) -> str | None:
    """Id of the schedule of this label or id, whatever its case."""
    return _SCHEDULES.get(name.strip().casefold())


def split_names(sampler: str, schedule: str | None) -> tuple[SamplerRow | None, str | None]:
    """The sampler, and its schedule's id, of a text's two names; None for what is unknown or not said.

    Old texts have both in one name ("DPM++ 2M Karras"), which then counts more than `schedule`.
    """
    chosen = None if schedule is None else find_schedule(schedule)
    if row := find_sampler(sampler):
        return row, chosen
    words = sampler.split()
    for count in (1, 2, 3, 4):
        tail = find_schedule(" ".join(words[-count:]))
        row = find_sampler(" ".join(words[:-count]))
        if tail is not None and row is not None:
            return row, tail
    return None, chosen


def canonical(row: SamplerRow, schedule: str) -> str:
    """`schedule`, or "automatic" where it is the sampler's own default (but "uniform" stays, which the webui keeps too)."""
    return AUTOMATIC if schedule == row.schedule != UNIFORM else schedule


def bare(row: SamplerRow) -> str:
    """The schedule of a text that names none: before 1.9.0 that was uniform, except for Restart's own."""
    return AUTOMATIC if row.schedule == UNIFORM or row.id == "restart" else UNIFORM
