"""Responses that do not have the form that was asked for."""


class MalformedError(ValueError):
    """A part of a response cannot be read; the message is the rest of a sentence about it."""
