"""Publish the metric as a Space, which `evaluate.load` loads by its id.

\b
    python -m metrics publish --to ORG/NAME --dry-run

Exit codes: 0 done, 1 bad input, 2 wrong usage.
"""  # noqa: D301  \b keeps the lines as they are

from collections.abc import Sequence

from bagen_data.command_line import new_app, run
from bagen_data.repositories.publish_options import CreatePr, DryRun, Private, Tag, To

app = new_app(__doc__)


@app.callback()
def _commands() -> None:
    """Keep the word `publish`, which an only command would lose."""


@app.command("publish")
def publish_command(
    to: To,
    tag: Tag = None,
    private: Private = False,
    create_pr: CreatePr = False,
    dry_run: DryRun = False,
) -> None:
    """Publish the metric as a Gradio Space: its card, page and module, and the package's wheel."""
    from bagen_data.repositories.publish_command import (
        print_published,
        publish_with_progress,
        say,
    )
    from bagen_data.repositories.publishing import check_target
    from metrics.metric_space import check_module_name, metric_space

    check_target(to, tag, create_pr=create_pr)
    check_module_name(to)
    if private:
        say(
            f"{to}: a private Space is not asked for its wheel without a token, so its page does "
            "not install; make it public when it is announced"
        )
    with metric_space(to) as space:
        publication = space.publication(
            tag=tag, private=private, create_pr=create_pr, dry_run=dry_run
        )
        print_published(publication, publish_with_progress(publication))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    Args:
        arguments: words of the command line; those of the process if None.
    """
    run(app, arguments)
