"""The hub: which file a name stands for, and where, how large and with which digest it lies there (huggingface_hub).

Owns the questions to the hub and what is told when it does not answer. What is fetched is fetched by `fetching`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from yarl import URL

from bot.downloads.links import SAFE, UNSAFE, HubName
from bot.errors import RequestRefused
from bot.requests.naming import near_matches, unknown

SECONDS: Final = 30.0
LISTED: Final = 8
"""Files that are named when several fit."""


class HubFile(msgspec.Struct, frozen=True):
    """A file on the hub. `token` is the operator's own, for files that not everybody may fetch; it goes to the hub alone."""

    url: URL
    name: str
    size: int | None
    sha256: str
    token: str = ""


async def look_up(wanted: HubName, *, insist: bool, endpoint: str | None = None) -> HubFile:
    """The file that `wanted` stands for. Raises RequestRefused: no such repository or file, several that fit, no network."""
    try:
        async with asyncio.timeout(2 * SECONDS):
            return await asyncio.to_thread(_look_up, wanted, insist=insist, endpoint=endpoint)
    except TimeoutError as error:
        raise RequestRefused("Hugging Face does not answer. Check the network, and try again.") from error


def _look_up(wanted: HubName, *, insist: bool, endpoint: str | None) -> HubFile:
    # Only now: it takes a moment to import, and most who start Easel add no model.
    from httpx2 import HTTPError
    from huggingface_hub import HfApi, get_token, hf_hub_url
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    token = get_token()
    api = HfApi(endpoint=endpoint, token=token or False)
    try:
        info: Any = api.model_info(wanted.repo, revision=wanted.revision or None, timeout=SECONDS, files_metadata=True)
    except GatedRepoError as error:
        raise RequestRefused(
            f"{wanted.repo} is only for those who agreed to its terms: agree on its page, and put a token into HF_TOKEN."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise RequestRefused(f"There is no {wanted.repo} on Hugging Face, or not everybody may see it.") from error
    except RevisionNotFoundError as error:
        raise RequestRefused(f"{wanted.repo} has no version “{wanted.revision}”.") from error
    except OfflineModeIsEnabled as error:
        raise RequestRefused(
            "Hugging Face is switched off here (HF_HUB_OFFLINE is set). Unset it, or copy the file into the models folder."
        ) from error
    except HfHubHTTPError as error:
        raise RequestRefused(f"Hugging Face has trouble ({error.response.status_code}). Try again later.") from error
    except (OSError, HTTPError) as error:
        raise RequestRefused(
            "Hugging Face cannot be reached. Check the network, or fetch the file elsewhere and copy it into the models folder."
        ) from error
    files = {each.rfilename: each for each in info.siblings or ()}
    chosen = files[_chosen(wanted, tuple(files), insist=insist)]
    url = hf_hub_url(wanted.repo, chosen.rfilename, revision=wanted.revision or info.sha, endpoint=endpoint)
    name = chosen.rfilename.rpartition("/")[2]
    if name.startswith(("diffusion_pytorch_model", "pytorch_lora_weights", "model.")):
        name = f"{wanted.repo.rpartition('/')[2]}{name[name.rindex('.') :]}"  # every repository calls it so
    return HubFile(URL(url), name, chosen.size, chosen.lfs.sha256 if chosen.lfs else "", token or "")


def _chosen(wanted: HubName, files: Sequence[str], *, insist: bool) -> str:
    """The file that is meant. Raises RequestRefused."""
    if wanted.file in files:
        return wanted.file
    endings = (SAFE, *(UNSAFE if insist else ()))
    fitting = [name for name in files if name.endswith(endings)]
    if wanted.file:
        by_name = [name for name in fitting if name.rpartition("/")[2] == wanted.file]
        if len(by_name) == 1:
            return by_name[0]
        near = near_matches(wanted.file, fitting)
        raise unknown(f"file in {wanted.repo}", wanted.file, near or fitting)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise RequestRefused(
            f"{wanted.repo} has no {SAFE} file. If it has a pickle that you trust, name it and insist."
        )
    shown = ", ".join(f"{wanted.repo}:{name}" for name in fitting[:LISTED])
    more = f", and {len(fitting) - LISTED} more" if len(fitting) > LISTED else ""
    raise RequestRefused(f"{wanted.repo} has {len(fitting)} files; say which: {shown}{more}.")
