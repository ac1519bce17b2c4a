"""Finding the browser that the page's tests drive."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium"


def find_browser() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
