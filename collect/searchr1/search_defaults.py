"""What a search of Search-R1 shows where an option does not say otherwise."""

DOCUMENTS = 3
"""Shown of each search."""
DOCUMENT_WORDS = 100
"""Shown of each document, as many as a passage of Search-R1's Wikipedia has."""
