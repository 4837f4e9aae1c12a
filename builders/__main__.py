"""`python -m builders`: see `builders/cli.py`."""

import sys

try:
    from builders.cli import main
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] in ("bagen_data", "builders"):
        raise
    sys.exit(f"{error.name} is not installed; in the clone: pip install -e '.[builders]'")

if __name__ == "__main__":
    main()
