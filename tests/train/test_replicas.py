"""Several engines answer like one; where one dies, the others end and nothing is lost."""

import json
import os
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.tables import read_jsonl
from tests.forks import FORKED_CHILDREN
from tests.train.running import FORM, run, started
from tests.train.test_evaluating import answered
from train.generation import Decoding, Engines, plan_engines, visible_gpus
from train.generation.replicas import RolloutPrompts, replicated
from train.tensor_parallel import check_tensor_parallel

QWEN_7B = SimpleNamespace(num_attention_heads=28, num_key_value_heads=4)
LLAMA_8B = SimpleNamespace(num_attention_heads=32, num_key_value_heads=8)
EIGHT = tuple("01234567")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


def engines_of(parent: int) -> list[int]:
    """The processes that one has started in sessions of their own."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        process = int(path.parent.name)
        if int(fields[1]) == parent and int(fields[3]) == process and fields[0] != "Z":
            processes.append(process)
    return sorted(processes)


def is_running(process: int) -> bool:
    path = Path(f"/proc/{process}/stat")
    try:
        return path.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@needs_proc
def test_two_engines_that_die_and_go_on_end_like_one(
    dataset: str, tiny: str, tmp_path: Path
) -> None:
    questions = ("--model", tiny, "--dataset", dataset, "--config", "sokoban", "--split", "test")
    sizes = ("--max-new-tokens", 24, "--batch-size", 1)
    command = (FORKED_CHILDREN, "train/evaluate.py", *questions, *sizes, *FORM, "--out")
    two = tmp_path / "two"
    with started(*command, two, "--replicas", 2) as process:  # it is killed itself
        wait_until(lambda: answered(two) or process.poll() is not None)
        engines = engines_of(process.pid)
        assert len(engines) == 2
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, engines)))
    kept = answered(two)
    with started(*command, two, "--replicas", 2) as process:  # an engine of it is killed
        wait_until(lambda: answered(two) > kept or process.poll() is not None)
        engines = engines_of(process.pid)
        os.kill(engines[1], signal.SIGKILL)
        written = " ".join("".join(process.communicate()).split())
    assert process.returncode == 1, written
    assert "of 2 was ended by signal 9 (Killed) after" in written
    assert f"{answered(two) - kept:,} answers of this run and all of earlier ones are" in written
    assert f"{48 - answered(two):,} are left; give the same command to go on" in written
    assert not any(map(is_running, engines))
    assert 1 <= kept < answered(two) < 48
    run(*command, two)
    written = run(*command, tmp_path / "one")
    assert "under the paper's reward: 48 answers: " in written
    answers = {name: read_jsonl(tmp_path / name / "predictions.jsonl") for name in ("one", "two")}
    assert answers["two"] == answers["one"]
    names = sorted(path.name for path in two.iterdir())
    assert names == ["metadata.yaml", "predictions.jsonl", "scores.json"]


BEGIN_TWO = """
import sys
from pathlib import Path

from bagen_data.errors import WorkerDiedError
from train.generation import Decoding, Engines
from train.generation.replicas import RolloutPrompts, replicated

folder = Path(sys.argv[1])
asked = RolloutPrompts([[{"role": "user", "content": "1"}]] * 2, ["a", "b"])
decoding = Decoding(str(folder / "nowhere"), 4, 1, "float32")
try:
    list(replicated(Engines("transformers", ("", "")), decoding, asked, 8, folder))
except WorkerDiedError as error:
    print(error)
"""


def test_an_engine_that_cannot_begin_says_why(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(BEGIN_TWO)
    written = run(FORKED_CHILDREN, tmp_path / "program.py", tmp_path)
    assert re.match(r"engine \d of 2 ended with exit code 1 after 0 of 1 answers: ", written)
    assert (
        "nowhere"
        in (tmp_path / "replica-1.log").read_text() + (tmp_path / "replica-2.log").read_text()
    )


VLLM = """
import json, os
from types import SimpleNamespace as Some

print("vLLM talks")


class SamplingParams:
    def __init__(self, **options):
        self.options = options


class LLM:
    def __init__(self, **options):
        self.options = options

    def chat(self, prompts, sampling, chat_template_kwargs):
        for prompt in prompts:
            said = {"gpus": os.environ["CUDA_VISIBLE_DEVICES"], "template": chat_template_kwargs}
            text = json.dumps(self.options | sampling.options | said | {"asked": prompt})
            yield Some(prompt_token_ids=[1, 2], outputs=[Some(text=text, token_ids=[3])])
"""
"""A package of the same name and calls, which answers with its input."""


def test_each_engine_of_vllm_sees_its_own_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in takes the place of vLLM, which needs a GPU."""
    (tmp_path / "vllm.py").write_text(VLLM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    rollouts = ["a", "b", "a", "c", "b", "c"]
    prompts = [[{"role": "user", "content": f"{name} {n}"}] for n, name in enumerate(rollouts)]
    decoding = Decoding("qwen", 7, 1, "bfloat16", {"enable_thinking": False})
    engines = Engines("vllm", ("0,1", "2,3"), 2)
    asked = RolloutPrompts(prompts, rollouts)
    answers = dict(replicated(engines, decoding, asked, 512, tmp_path))
    assert sorted(answers) == list(range(6))
    gpus: dict[str, set[str]] = {}
    for place, answer in answers.items():
        said = json.loads(answer.text)
        assert (answer.input_tokens, answer.output_tokens) == (2, 1)
        assert said.pop("asked") == prompts[place]
        gpus.setdefault(rollouts[place], set()).add(said.pop("gpus"))
        assert said == {
            "model": "qwen",
            "dtype": "bfloat16",
            "tensor_parallel_size": 2,
            "max_model_len": 512,
            "enable_prefix_caching": True,
            "temperature": 0.0,
            "max_tokens": 7,
            "template": {"enable_thinking": False},
        }
    assert all(len(own) == 1 for own in gpus.values())
    assert set.union(*gpus.values()) == {"0,1", "2,3"}
    assert [path.name for path in tmp_path.glob("*.log")] == []


def test_rollouts_stay_whole_and_engines_have_like_amounts() -> None:
    lengths = {"a": [10, 20, 30], "b": [55], "c": [5, 5], "d": [25, 25]}
    rollouts = [name for name, own in lengths.items() for _ in own]
    prompts = [
        [{"role": "user", "content": "x" * length}] for own in lengths.values() for length in own
    ]
    shares = RolloutPrompts(prompts, rollouts).shares(2)
    assert sorted(place for share in shares for place in share) == list(range(len(rollouts)))
    names = [{rollouts[place] for place in share} for share in shares]
    assert names == [{"a", "c"}, {"b", "d"}] or not names[0] & names[1]
    sizes = [sum(len(prompts[place][0]["content"]) for place in share) for share in shares]
    assert max(sizes) - min(sizes) <= max(lengths["b"])
    assert all(share == sorted(share) for share in shares)


def test_each_gpu_has_an_engine_unless_engines_share() -> None:
    assert plan_engines("vllm", EIGHT, None, 1, QWEN_7B).devices == EIGHT
    assert plan_engines("vllm", EIGHT, None, 4, QWEN_7B).devices == ("0,1,2,3", "4,5,6,7")
    assert plan_engines("vllm", EIGHT, 1, 2, QWEN_7B).devices == ("0,1",)
    assert plan_engines("transformers", (), None, 1, QWEN_7B) == Engines("transformers")
    assert plan_engines("transformers", (), 2, 1, QWEN_7B).devices == ("", "")


@pytest.mark.parametrize(
    ("backend", "gpus", "replicas", "tensor_parallel", "message"),
    [
        ("vllm", EIGHT, None, 8, "8: does not divide the model's 28 attention heads; give one of"),
        ("vllm", EIGHT, None, 3, "3: does not divide the 8 GPUs here; give one of 1, 2, 4"),
        ("vllm", EIGHT[:4], None, 8, "8: does not divide the 4 GPUs here; give one of 1, 2, 4"),
        ("vllm", (), None, 2, "2: does not divide the 0 GPUs here; give one of 1"),
        ("vllm", EIGHT, 5, 2, "--replicas 5: there are GPUs for 4 of 2 GPUs; give 4 or fewer"),
        ("vllm", EIGHT, 9, 1, "--replicas 9: there are GPUs for 8; give 8 or fewer"),
    ],
)
def test_what_cannot_be_split_is_refused_before_weights_load(
    backend: str, gpus: tuple[str, ...], replicas: int | None, tensor_parallel: int, message: str
) -> None:
    """The paper's own model has 28 heads: on 8 GPUs the first command failed in vLLM."""
    with pytest.raises(InputError, match=message):
        plan_engines(backend, gpus, replicas, tensor_parallel, QWEN_7B)


def test_only_vllm_shares_weights() -> None:
    with pytest.raises(WrongUsageError, match="transformers has a whole model on each GPU"):
        plan_engines("transformers", EIGHT, None, 2, LLAMA_8B)


def test_key_value_heads_are_shared_or_copied() -> None:
    """A model of 6 key-value heads goes to 2 GPUs or 12, and not to 4, as in vLLM."""
    odd = SimpleNamespace(num_attention_heads=24, num_key_value_heads=6)
    check_tensor_parallel("--tensor-parallel", 12, 12, odd)
    with pytest.raises(InputError, match="4: does not divide the model's 6 key-value heads; give"):
        check_tensor_parallel("--tensor-parallel", 4, 12, odd)


def test_gpus_are_named_as_they_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ("0", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-8932f937")
    assert visible_gpus() == ("5", "GPU-8932f937")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert visible_gpus() == ()
