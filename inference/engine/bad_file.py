"""The two ways in which a file of weights fails, as errors that carry a sentence.

BadFile          what is wrong with the content; the sentence goes on after the file's name ("is …", "holds …")
└── BrokenModel  a checkpoint that was asked for cannot be painted with; a whole sentence, the name in it
"""


class BadFile(Exception):
    """A file that cannot be used. The message continues a sentence that begins with the file's name."""


class BrokenModel(BadFile):
    """A model that was asked for cannot be used. The message is a whole sentence for the person who asked."""
