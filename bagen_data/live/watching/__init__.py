"""Follow the log of a running agent, and show what it spends and what it will still need."""
