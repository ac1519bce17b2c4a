"""What a person names when they name a model to add: a direct link, or a file on a hub. And what a file of it is called here.

Owns the forms that are understood. Pure.
"""

import re
from typing import Final
from urllib.parse import unquote

import msgspec
from yarl import URL

from bot.errors import RequestRefused
from inference.api.filenames import BadName, file_name

SAFE: Final = ".safetensors"
UNSAFE: Final = (".ckpt", ".pt", ".pth", ".bin")
"""Pickles: taken only from who insists, and even then read without running what is in them."""
_HUB: Final = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+?))?(?::(?P<file>[^:\s][^:]*))?", re.ASCII)
_PAGE: Final = re.compile(
    r"/(?P<repo>[\w.-]+/[\w.-]+)(?:/(?:blob|resolve|tree)/(?P<revision>[^/]+)(?:/(?P<file>.+))?)?/?", re.ASCII
)
HUB: Final = "huggingface.co"
_DISPOSED: Final = re.compile(r"filename\*\s*=\s*(?:UTF-8|utf-8)''([^;]+)|filename\s*=\s*(?:\"([^\"]*)\"|([^;\s]+))")


class HubName(msgspec.Struct, frozen=True):
    """A file on the hub: `owner/repo`, its path there (empty: the one that fits), and a revision (empty: the newest)."""

    repo: str
    file: str = ""
    revision: str = ""


def read_source(text: str) -> HubName | URL:
    """What `text` names. Raises RequestRefused for what is neither a link nor a name on the hub."""
    text = text.strip()
    if "://" in text:
        return _link(text)
    found = _HUB.fullmatch(text)
    if found is None or ".." in text:
        raise RequestRefused(
            f"“{text[:100]}” is neither a link (https://…) nor a name on Hugging Face (owner/repo or owner/repo:FILE)."
        )
    return HubName(found["repo"], found["file"] or "", found["revision"] or "")


def _link(text: str) -> HubName | URL:
    try:
        url = URL(text)
    except ValueError as error:
        raise RequestRefused(f"“{text[:100]}” is no address: {error}.") from error
    if url.scheme == "https" and url.host == HUB and url.user is None and (found := _PAGE.fullmatch(url.path)):
        return HubName(found["repo"], found["file"] or "", found["revision"] or "")
    return url


def shown_source(text: str) -> str:
    """A source as cards and logs show it: without what stands behind a question mark, which may be somebody's key."""
    return text.strip().partition("?")[0].partition("#")[0]


def name_of(asked: URL, given: URL, disposition: str | None) -> str:
    """What the server calls a file, by its header or the end of an address: the one that was asked for, or the one that gave it.

    Not checked yet, and maybe empty.
    """
    found = _DISPOSED.search(disposition or "")
    if found is not None:
        return unquote(found[1]) if found[1] else found[2] or found[3] or ""
    return asked.name if _ending(asked.name) else given.name or asked.name


def local_name(wanted: str, told: str, *, insist: bool) -> str:
    """What a file is called here: `wanted` by the person, else as `told` by the server. Raises RequestRefused.

    The ending is the server's unless the person gives one.
    """
    endings = (SAFE, *(UNSAFE if insist else ()))
    name, ending = wanted.strip() or told, _ending(told)
    if wanted.strip() and not _ending(wanted):
        name += ending or SAFE
    if not _ending(name):
        raise RequestRefused(
            f"“{name[:100]}” does not say what kind of file it is; give it a name that ends in {SAFE}."
        )
    if wanted and ending and _ending(name) != ending:
        raise RequestRefused(
            f"The file is a {ending} and would be called a {_ending(name)}; give it a name that ends in {ending}."
        )
    if _ending(name) not in endings:
        raise RequestRefused(
            f"“{name[:100]}” is a pickle, which can hold code. Look for a .safetensors of it; if there is none, insist: it is "
            "then read without running anything."
        )
    try:
        return file_name(name)
    except BadName as error:
        raise RequestRefused(f"{error} Give it another.") from error


def _ending(name: str) -> str:
    lowered = name.strip().lower()
    return next((ending for ending in (SAFE, *UNSAFE) if lowered.endswith(ending)), "")
