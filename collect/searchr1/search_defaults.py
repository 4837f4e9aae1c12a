"""Defaults of Search-R1's options."""

DOCUMENTS = 3
"""Shown of each search."""
DOCUMENT_WORDS = 100
"""Shown of each document, as many as a passage of Search-R1's Wikipedia has."""
ATTEMPTS = 4
"""Attempts of a strategy, at most."""
