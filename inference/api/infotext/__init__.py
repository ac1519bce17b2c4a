"""The parameter text that pictures carry."""

from inference.api.infotext.facts import facts_of
from inference.api.infotext.writing import Facts, write_infotext

__all__ = ["Facts", "facts_of", "write_infotext"]
