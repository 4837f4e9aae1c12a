"""Defaults of Search-R1's options."""

DOCUMENTS = 3
"""Documents that are shown of each search."""
DOCUMENT_WORDS = 100
"""Words shown of each document, as many as a passage of Search-R1's Wikipedia has."""
ATTEMPTS = 4
"""Most attempts of a strategy."""
