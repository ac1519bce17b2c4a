"""The tree of errors whose message is a sentence for the person who caused them.

    EaselError
    ├── RequestRefused     what was asked cannot be painted; says what was wrong and what would be right
    │   ├── Unknown        it names something that is not here, or not yet
    │   └── LimitReached   it could be painted, but not by this person, here, now
    ├── NotFound           the picture, job or style that was meant is gone
    ├── NotAllowed         it exists, but is somebody else's to change
    └── SetupError         the operator must do something; says what

Owns the tree; refuses to know how an error is shown (`bot.discord_ui.error_replies`, `bot.commands`).
"""


class EaselError(Exception):
    """An error with a sentence that may be shown as it is."""

    @property
    def sentence(self) -> str:
        """What to tell the person."""
        return str(self)


class RequestRefused(EaselError):
    """What was asked cannot be painted."""


class Unknown(RequestRefused):
    """Something was named that is not known."""


class LimitReached(RequestRefused):
    """A limit of this server or person is reached."""


class NotFound(EaselError):
    """What was meant does not exist (any more)."""


class NotAllowed(EaselError):
    """What was meant belongs to somebody else."""


class SetupError(EaselError):
    """The operator must do something before Easel can go on."""
