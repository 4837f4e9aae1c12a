"""The way from an origin folder to rollouts: families, their files, and an index of each family."""
