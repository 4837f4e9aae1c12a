"""`bagen`, and `python -m bagen_data`: see `bagen_data/cli`."""

import sys


def main() -> None:
    """Run the command line, or name a dependency that is not installed."""
    try:
        from bagen_data.cli import main as run
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "bagen_data":
            raise
        sys.exit(f"{error.name} is not installed; install it with: pip install bagen-data")
    run()


if __name__ == "__main__":
    main()
