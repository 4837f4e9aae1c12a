"""Names of the dataset's configs: what a reader loads by them, and which rows they have."""

DEFAULT = "default"
"""Every task's benchmark."""
ROLLOUTS = "rollouts"
"""The config with a row for each rollout."""
REFERENCE = "reference"
"""The config with the forecast of each benchmark sample that skills are relative to."""

_TRAINING, _START = "_train", "_start"


def training_config(task: str) -> str:
    """Return the config of a task's samples for training."""
    return f"{task}{_TRAINING}"


def start_config(task: str) -> str:
    """Return the config of a task's start probes, k = 0 of each benchmark rollout."""
    return f"{task}{_START}"


def reference_path(config: str) -> str:
    """Return where the reference of a config's samples lies in a built dataset.

    >>> reference_path("sokoban_start")
    'data/reference/sokoban_start.parquet'
    """
    return f"data/{REFERENCE}/{config}.parquet"


def task_of(config: str) -> str:
    """Return the task of a config of samples.

    >>> task_of("sokoban"), task_of("sokoban_start"), task_of("sokoban_train")
    ('sokoban', 'sokoban', 'sokoban')
    """
    return config.removesuffix(_START).removesuffix(_TRAINING)


def holds_samples(config: str) -> bool:
    """Return whether the rows of a config are samples."""
    return config not in (ROLLOUTS, REFERENCE)


def is_training(config: str) -> bool:
    """Return whether a config has a task's samples for training."""
    return config.endswith(_TRAINING)


def is_start(config: str) -> bool:
    """Return whether a config has a task's start probes.

    >>> is_start("sokoban_start"), is_start("sokoban")
    (True, False)
    """
    return config.endswith(_START)


def is_benchmark(config: str) -> bool:
    """Return whether a config has a task's benchmark, which `default` has too.

    >>> [is_benchmark(name) for name in ("sokoban", "sokoban_start", "sokoban_train", "rollouts")]
    [True, False, False, False]
    """
    return holds_samples(config) and not is_training(config) and not is_start(config)
