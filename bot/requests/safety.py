"""The one thing that Easel never paints, whoever asks and wherever: prompts that sexualise minors.

Owns the words and how disguises are seen through (look-alike letters, digits for letters, spaced letters, invisible
signs). Everything else is a server's own policy and none of this module's business.
"""


def check_prompt(text: str) -> None:
    """Return when `text` may be painted. Raises RequestRefused when it sexualises minors, in time linear in its length."""
    raise NotImplementedError
