"""From origin rollouts to the dataset: `python -m builders build|verify`."""
