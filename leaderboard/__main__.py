"""`python -m leaderboard`: see `leaderboard/cli.py`."""

import sys

try:
    from leaderboard.cli import main
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] in ("bagen_data", "leaderboard"):
        raise
    sys.exit(f"{error.name} is not installed; in the clone: pip install -e '.[leaderboard]'")

if __name__ == "__main__":
    main()
