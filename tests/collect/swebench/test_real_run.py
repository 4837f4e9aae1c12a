"""The flags that a real run is given; each stands in the source of the tools."""

import importlib.util
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from bagen_data.errors import InputError, WrongUsageError
from collect.swebench.real_run import (
    RealRun,
    how_to_run,
    missing_tools,
    prepare,
    read_names,
    run_here,
)
from tests.collect.swebench.played_toys import needs_tool

NAMES = ("astropy__astropy-14365", "sympy__sympy-12489", "django__django-16100")


def command_of(path: Path, first: str) -> list[str]:
    """The words of a command in the script."""
    text = path.read_text().replace("\\\n", " ")
    return shlex.split(next(line for line in text.splitlines() if line.startswith(first)))


def values(words: list[str], flag: str) -> list[str]:
    return [words[place + 1] for place, word in enumerate(words) if word == flag]


def test_the_configuration_is_what_differs(tmp_path: Path) -> None:
    folder = prepare(RealRun("openai/gpt-5.2", 4), tmp_path / "swebench-origin-m").parent
    assert yaml.safe_load((folder / "bagen.yaml").read_text()) == {
        "agent": {"step_limit": 160, "cost_limit": 0.0},
        "model": {
            "model_name": "openai/gpt-5.2",
            "model_kwargs": {"max_tokens": 800},
            "cost_tracking": "ignore_errors",
        },
    }


def test_a_cost_limit_is_told(tmp_path: Path) -> None:
    folder = prepare(RealRun("m", 4, cost_usd=2.5), tmp_path / "f").parent
    config = yaml.safe_load((folder / "bagen.yaml").read_text())
    assert config["agent"]["cost_limit"] == 2.5
    assert "cost_tracking" not in config["model"]


def test_named_instances_are_filtered_and_others_drawn(tmp_path: Path) -> None:
    named = prepare(RealRun("m", 2, instances=NAMES), tmp_path / "named")
    words = command_of(named, "mini-extra")
    (pattern,) = values(words, "--filter")
    assert [name for name in (*NAMES, NAMES[0] + "0") if re.match(pattern, name)] == [*NAMES[:2]]
    assert (tmp_path / "named" / "instances.txt").read_text().split() == [*NAMES[:2]]
    drawn = command_of(prepare(RealRun("m", 64), tmp_path / "drawn"), "mini-extra")
    assert values(drawn, "--slice") == ["0:64"]
    assert "--shuffle" in drawn


def test_the_commands_are_a_script(tmp_path: Path) -> None:
    commands = prepare(RealRun("m", 2, instances=NAMES), tmp_path / "a folder")
    subprocess.run(["bash", "-n", str(commands)], check=True)
    assert os.access(commands, os.X_OK)
    words = command_of(commands, "mini-extra")
    assert values(words, "-c") == ["swebench.yaml", "bagen.yaml"]
    assert values(words, "--output") == ["run"]
    evaluation = command_of(commands, "python3 -m swebench")
    assert values(evaluation, "--dataset_name") == ["SWE-bench/SWE-bench_Verified"]


@needs_tool
def test_every_flag_is_one_of_the_tools(tmp_path: Path) -> None:
    (folder,) = importlib.util.find_spec("minisweagent").submodule_search_locations  # type: ignore[union-attr,misc]
    source = (Path(folder) / "run" / "benchmarks" / "swebench.py").read_text()
    run = RealRun("m", 2, instances=NAMES)
    words = [
        *command_of(prepare(run, tmp_path / "a"), "mini-extra"),
        *command_of(prepare(RealRun("m", 2), tmp_path / "b"), "mini-extra"),
    ]
    flags = {word for word in words if word.startswith("-")}
    assert len(flags) == 8
    assert [flag for flag in flags if f'"{flag}"' not in source] == []


def test_where_both_tools_are_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stand-ins of the two tools write what those would."""
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "log"
    stand_ins = {
        "docker": "exit 0",
        "mini-extra": "[ $2 = --help ] || { mkdir -p run; echo '{}' > run/preds.json; }",
        "python3": 'while [ $# -gt 0 ]; do [ "$1" = --report_dir ] && report=$2; shift; done\n'
        '[ -z "${report:-}" ] || { mkdir -p "$report"; echo \'{"resolved_ids": []}\' '
        '> "$report/m.bagen.json"; }',
    }
    for name, code in stand_ins.items():
        (tools / name).write_text(f'#!/bin/bash\necho {name} "$@" >> {log}\n{code}\n')
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert missing_tools() == []
    folder = tmp_path / "swebench-origin-m"
    run_here(prepare(RealRun("m", 3), folder))
    assert (folder / "report.json").read_text() == '{"resolved_ids": []}\n'
    assert (folder / "run" / "preds.json").is_file()
    assert f"--predictions_path {folder}/run/preds.json" in log.read_text()


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "collect.sh").write_text("exit 3")
    with pytest.raises(InputError, match="exit code 3"):
        run_here(tmp_path / "collect.sh")


def test_without_the_tools_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = missing_tools()
    assert len(missing) == 3
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 4\n")
    (tmp_path / "docker").chmod(0o755)
    assert missing_tools()[1].endswith("(`docker info` ends with exit code 4)")
    advice = how_to_run(tmp_path / "f" / "collect.sh", missing)
    assert "lacks: mini-swe-agent (`mini-extra swebench --help` is not there); a running" in advice
    assert "pip install mini-swe-agent==2.4.6 swebench==5.0.2" in advice
    assert advice.endswith(f"bash {tmp_path}/f/collect.sh")


def test_names_are_read_from_lines_and_from_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_text('{"instance_id": "a__b-1"}\n\na__b-2\n')
    assert read_names(path) == ("a__b-1", "a__b-2")
    path.write_text('\n\n{"id": "a__b-1"}\n')
    with pytest.raises(InputError, match="names:3: expected an object with instance_id"):
        read_names(path)
    path.write_text("a\na\n")
    with pytest.raises(InputError, match="each of them once"):
        read_names(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subset": "none"}, "--subset none: unknown; known: full, lite, verified"),
        ({"rollouts": 4, "instances": NAMES}, "as many instances are needed, and 3 are given"),
        ({"workers": 0}, "at least 1"),
    ],
)
def test_wrong_usage(options: dict[str, object], message: str) -> None:
    with pytest.raises(WrongUsageError, match=message):
        RealRun(**{"model": "m", "rollouts": 1, **options})  # type: ignore[arg-type]
