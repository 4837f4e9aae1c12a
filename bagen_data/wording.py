"""Words that messages are made of."""


def numbered(number: int, thing: str) -> str:
    """How many there are of a thing, in groups of three digits.

    >>> numbered(1, "file"), numbered(0, "file"), numbered(1234, "file")
    ('1 file', '0 files', '1,234 files')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
