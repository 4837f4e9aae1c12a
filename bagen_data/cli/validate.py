"""`bagen validate`."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bagen_data.cli.command_options import Config, Dataset, Predictions, Revision, Split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from bagen_data.submissions import Metadata


def validate_command(
    predictions: Predictions,
    dataset: Dataset,
    config: Config = None,
    split: Split = "test",
    revision: Revision = None,
) -> None:
    """Check a submission: metadata.yaml, the predictions, and that there is one for each sample.

    A submission may answer some configs alone: it is checked against these, and a note says which
    have no answer.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from bagen_data.cli.scored_answers import asked_samples
    from bagen_data.cli.version_notes import note_revision, note_versions
    from bagen_data.console import STDERR, shown
    from bagen_data.errors import UnansweredError
    from bagen_data.held_folder import put_right
    from bagen_data.hub import is_hidden, load_questions, load_samples
    from bagen_data.prediction_files import files_in
    from bagen_data.prediction_folder import choose_predictions
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.dataset_places import pinned
    from bagen_data.scoring.check_predictions import of_tasks
    from bagen_data.submissions import METADATA, read_metadata

    put_right(predictions if predictions.is_dir() else predictions.parent)
    file = files_in(predictions)[0].parent / METADATA
    dataset = pinned(at_revision(dataset, revision))
    has_labels = not is_hidden(dataset)
    samples = (load_samples if has_labels else load_questions)(dataset, config, split)
    tasks = pc.unique(samples.table["task"].cast(pa.string())).to_pylist()
    with suppress(UnansweredError):  # what cannot be read at all is said before the metadata is
        choose_predictions(predictions, asked_samples(dataset, config, tasks))
    metadata = read_metadata(file)
    note_revision(samples.source, metadata.dataset_revision)
    note_versions(dataset, [file])
    checked = _Checked(predictions, dataset, config, has_labels, metadata, file)
    try:
        text = checked.against(samples.table, tasks)
    except UnansweredError as error:
        if config or not error.answered:
            raise
        text = checked.against(of_tasks(samples.table, error.answered), error.answered)
        missing = ", ".join(task for task in tasks if task not in error.answered)
        STDERR.print(shown(f"note: {predictions}: no sample of {missing} is answered"))
    print(text)


@dataclass(frozen=True)
class _Checked:
    """The predictions of a submission, and how they are read."""

    predictions: "Path"
    dataset: str
    config: str | None
    has_labels: bool
    metadata: "Metadata"
    metadata_file: "Path"

    def against(self, table: "pa.Table", tasks: "Sequence[str]") -> str:
        """Hold the predictions against samples, and return what to say of them.

        Raises:
            UnansweredError: a task has no answer, and others have.
            InputError: the predictions do not fit the samples one to one.
        """
        from bagen_data.answer_columns import INVALID
        from bagen_data.cli.scored_answers import choose
        from bagen_data.errors import InputError
        from bagen_data.prompt_variants import question_of
        from bagen_data.schema import Question
        from bagen_data.scoring.check_predictions import check_predictions
        from bagen_data.scoring.match_predictions import match_predictions
        from bagen_data.scoring.other_question import correct_metadata, refuse_valid_elsewhere
        from bagen_data.scoring.sample_table import SampleTable

        [chosen] = choose([self.predictions], self.dataset, self.config, tasks)
        name = str(chosen.path)
        samples = SampleTable.of(table) if self.has_labels else None

        def count_invalid(question: Question) -> int:
            if samples is None:
                return check_predictions(table, chosen.read, name, question)
            matched = match_predictions(samples, chosen.read, name, question)
            return sum(int((answers.verdict == INVALID).sum()) for _, answers in matched)

        variant = self.metadata.prompt_variant
        asked = question_of(variant)
        try:
            invalid = count_invalid(asked)
        except InputError:
            chosen.check_whole()
            raise
        if invalid == len(table):
            refuse_valid_elsewhere(
                lambda other: count_invalid(other) < len(table),
                name,
                asked,
                correct_metadata(self.metadata_file, variant),
            )
        text = (
            f"{name}: {len(table):,} predictions of {self.metadata.estimator}, one for each sample "
            f"of {', '.join(tasks)}"
        )
        if invalid:
            text += f"\ninvalid answers, which count as wrong: {invalid:,}; `bagen score` says why"
        return text
