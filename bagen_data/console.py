"""The console of messages, apart from what a command prints as its result."""

from rich.console import Console

STDERR = Console(stderr=True, highlight=False, soft_wrap=True)
"""Messages go to stderr; results to stdout or to files."""
