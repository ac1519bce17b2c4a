"""What a button, menu or form of ours carries: `easel:<action>:<id>[:arg]`, never more than 100 characters.

Owns the grammar and its round trip. All state behind an id lies in the database, so that a button pressed a year later,
by somebody else, after a restart still works. Refuses to know what an action does.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

PREFIX: Final = "easel"
LIMIT: Final = 100
"""Characters that Discord allows in a custom_id."""
BASE: Final = 36
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Action(StrEnum):
    """Everything that can be pressed, chosen or submitted. The value is what travels, and stays for good."""

    SINGLE = "u"
    VARY_SUBTLE = "vs"
    VARY_STRONG = "vv"
    UPSCALE = "up"
    UPSCALE_FORM = "upform"
    UPSCALE_BY = "upby"
    UPSCALE_OF = "upof"
    AGAIN = "again"
    EDIT = "edit"
    EDIT_FORM = "editform"
    SETTINGS = "tune"
    SETTINGS_FORM = "tuneform"
    REOPEN = "reopen"
    REGION = "region"
    CELL = "cell"
    REGION_WORDS = "regionask"
    REGION_FORM = "regionform"
    MEND = "mend"
    PLACE = "place"
    PLACE_WORDS = "placeask"
    PLACE_FORM = "placeform"
    PLACES_TEXT = "placestext"
    PLACES_FORM = "placesform"
    PLACES_PAINT = "placespaint"
    ZOOM = "zoom"
    MOVE = "move"
    BENCH = "bench"
    REMIX = "remix"
    REMIX_FORM = "remixform"
    PAINT_HERE = "here"
    STAR = "star"
    INFO = "info"
    DELETE = "del"
    PNG = "png"
    CANCEL = "stop"
    FORM = "form"
    HOME = "home"
    PAGE = "page"
    OPEN = "open"
    REMOVE = "rm"
    FORGET = "forget"
    RETRY = "retry"
    STYLES = "styles"
    STYLE = "style"
    STYLE_FORM = "styleform"
    STYLE_OF = "tostyle"
    STYLE_OF_FORM = "tostyleform"
    SEEDS = "seeds"
    SEED_OF = "toseed"
    SEED_FORM = "seedform"
    ADMIN = "admin"
    ADMIN_FORM = "adminform"
    REPORT = "report"
    REPORT_FORM = "reportform"
    JUDGE = "judge"
    PICKER = "pick"
    SHOW = "show"
    KIN = "kin"
    FIND = "find"
    FIND_FORM = "findform"
    SORT = "sort"
    SETS = "sets"
    SET_OPEN = "setopen"
    SET_NAME = "setname"
    SET_FORM = "setform"
    SET_DELETE = "setdel"
    SET_DROP = "setdrop"
    KEEP_IN = "keepin"
    KEEP_SET = "keepset"
    KEEP_NEW = "keepnew"
    KEEP_FORM = "keepform"
    POST = "post"
    POST_TO = "postto"
    EXPORT = "zip"
    EXPORT_STOP = "zipstop"
    SERIES_GO = "sgo"
    SERIES_NO = "sno"
    SERIES_STOP = "sstop"
    SERIES_PAGE = "spage"
    SERIES_CELL = "scell"
    SERIES_DELETE = "sdel"
    HELP = "help"
    CHORE_STOP = "chorestop"
    CONTROL_PAINT = "cgo"
    CONTROL_WORDS = "cwords"
    CONTROL_FORM = "cform"
    CONTROL_CHANGE = "cset"
    CONTROL_CHANGE_FORM = "csetform"
    CONTROL_PICTURE = "cpic"
    CONTROL_PICTURE_FORM = "cpicform"
    CONTROL_OTHER = "cother"
    CONTROL_ADD = "cadd"
    CONTROL_ADD_FORM = "caddform"
    CONTROL_REMOVE = "crm"
    CONTROL_CANCEL = "cno"
    CONTROL_OF = "cof"
    CONTROL_MAP = "cmap"
    CONTROL_FROM = "cfrom"


class Ticket(msgspec.Struct, frozen=True):
    """An action, the number it is about (a job, an image, a person; from 0), and a word more."""

    action: Action
    id: int
    argument: str = ""

    def __post_init__(self) -> None:
        if self.id < 0:
            raise ValueError(f"A ticket's id counts from 0; {self.id} is below.")
        if re.fullmatch(r"[\w.,-]*", self.argument, re.ASCII) is None:
            raise ValueError(f"A ticket's argument is letters, digits and . , - _ only, not {self.argument!r}.")
        if len(self.custom_id) > LIMIT:
            raise ValueError(f"A custom_id has at most {LIMIT} characters; this one has {len(self.custom_id)}.")

    @property
    def custom_id(self) -> str:
        """As Discord carries it."""
        parts = [PREFIX, self.action.value, base36(self.id)]
        return ":".join([*parts, self.argument] if self.argument else parts)


ON_BENCH: Final = "b-"
"""Begins the argument of a ticket whose id is a bench's (`storage.benches`) where others' is a picture's."""


def ticket_for(action: Action, number: int, rest: str = "", *, on_bench: bool) -> Ticket:
    """A ticket about a picture of ours, or about the one on a bench."""
    return Ticket(action, number, f"{ON_BENCH if on_bench else ''}{rest}")


PATTERN: Final = re.compile(
    rf"{PREFIX}:(?P<action>{'|'.join(action.value for action in Action)}):(?P<id>[0-9a-z]{{1,24}})(?::(?P<argument>[\w.,-]+))?",
    re.ASCII,
)
"""What every custom_id of ours matches whole; the template of the one dynamic item that answers all of them."""


def read_ticket(custom_id: str) -> Ticket | None:
    """The ticket that `custom_id` carries, or None where it is none of ours."""
    found = PATTERN.fullmatch(custom_id)
    if found is None or len(custom_id) > LIMIT:
        return None
    return Ticket(Action(found["action"]), int(found["id"], BASE), found["argument"] or "")


def base36(number: int) -> str:
    """`number` (from 0) in as few digits and letters as can be."""
    digits = ""
    while number or not digits:
        number, digit = divmod(number, BASE)
        digits = _DIGITS[digit] + digits
    return digits
