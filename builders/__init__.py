"""The way from origin rollouts to the dataset: `python -m builders build|verify`."""
