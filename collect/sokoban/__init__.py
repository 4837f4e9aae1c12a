"""Sokoban: levels that can be solved, their text, and agents that solve them more or less well."""
