"""From an origin folder to rollouts: families, their files, and an index of what was read."""
