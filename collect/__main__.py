"""`python -m collect`: see `collect/cli.py`."""

import sys

try:
    from collect.cli import main
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] in ("bagen_data", "collect"):
        raise
    sys.exit(f"{error.name} is not installed; in the clone: pip install -e '.[collect]'")

if __name__ == "__main__":
    main()
