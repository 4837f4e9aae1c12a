"""`python -m metrics`: see `metrics/cli.py`."""

import sys

try:
    from metrics.cli import main
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] in ("bagen_data", "metrics"):
        raise
    sys.exit(f"{error.name} is not installed; in the clone: pip install -e '.[metric]'")

if __name__ == "__main__":
    main()
