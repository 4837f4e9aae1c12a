"""A key is looked for wherever a model's commands, a server and a careless option could leave it.

A command of a model read the keys of `collect swebench --local` in `/proc/$PPID/environ` once, and
a server that repeated its key in an error had it in `collection.yaml` and in Inspect's logs.
"""

import base64
import gzip
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import zipfile_zstd as zipfile  # as Inspect packs its logs

from collect.swebench.containment import find_containment
from tests.attacks.tallies import LONG, Tally
from tests.collect.swebench.played_toys import needs_tool
from tests.making import REPO, build, dialogue, write_json
from tests.model_server import MODEL, ModelServer, model_server
from tests.predicting import FORKS

HUNT = REPO / "tests" / "attacks" / "key_hunt.py"
SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt"
SECONDS = 300
"""Seconds after which a command counts as hung."""


@pytest.fixture
def key() -> str:
    """A key that nothing else on this machine holds."""
    return f"sentinel-{secrets.token_hex(16)}"


def written(key: str) -> list[bytes]:
    """The ways in which a key may have been written, also by commands that reverse it."""
    return [
        *(each.encode() for each in (key, key[::-1], quote(key, safe=""), key.encode().hex())),
        *(base64.b64encode(b"-" * n + key.encode())[4:40] for n in range(3)),
        "".join(f"\\u{ord(letter):04x}" for letter in key).encode(),
    ]


def contents(path: Path) -> Iterator[bytes]:
    """A file as it is, and what is packed in it."""
    data = path.read_bytes()
    yield data
    if zipfile.is_zipfile(BytesIO(data)):
        with zipfile.ZipFile(path) as packed:
            yield from map(packed.read, packed.namelist())
    if path.suffix == ".gz":
        yield gzip.decompress(data)


def finds(key: str, folder: Path, *said: str) -> list[str]:
    """The files of a folder and the outputs that hold a key, however it is written."""
    texts = [(f"output {number}", text.encode()) for number, text in enumerate(said)]
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    texts += [(str(path), data) for path in files for data in contents(path)]
    return [name for name, data in texts if any(each in data for each in written(key))]


def hunting_ground(folder: Path) -> Path:
    """An instance whose agent and whose hidden tests run `hunt.py`; returns the file of it."""
    repo = folder / "repo"
    repo.mkdir(parents=True)
    shutil.copy(HUNT, repo / "hunt.py")
    (repo / "tests.sh").write_text("exit 1\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost"]
    steps = (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"], ["rev-parse", "HEAD"])
    for step in steps:
        commit = subprocess.run([*git, *step], cwd=repo, check=True, capture_output=True, text=True)
    instance = {
        "instance_id": "hunt__ground-1",
        "repo": str(repo),
        "base_commit": commit.stdout.strip(),
        "problem_statement": "Find the key.",
        "test_command": "bash tests.sh",
    }
    return write_json(folder / "instances.jsonl", instance)


def one_line(path: Path) -> Path:
    """The same JSON on one line."""
    path.write_text(json.dumps(json.loads(path.read_text())) + "\n")
    return path


@pytest.fixture(params=["bwrap", "unshare", "none"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program that contains commands: those before it in the search path fail."""
    kind = str(request.param)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in {"bwrap": (), "unshare": ("bwrap",), "none": ("bwrap", "unshare")}[kind]:
        (programs / name).write_text("#!/bin/sh\necho not allowed here >&2; exit 1\n")
        (programs / name).chmod(0o755)
    before = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{programs}:{before}")
    containment = find_containment()
    if kind != "none" and Path(getattr(containment.containment, "program", "none")).name != kind:
        pytest.skip(f"{kind} does not contain commands here: {'; '.join(containment.problems)}")
    if kind == "unshare" and shutil.which("bwrap", path=before) and not os.environ.get(LONG):
        pytest.skip("bwrap contains commands here; `make attacks` tries both")
    return kind


@needs_tool
@pytest.mark.attack("a model's commands look for the key")
def test_commands_look_for_the_key(tmp_path: Path, key: str, kind: str, tally: Tally) -> None:
    """Variables, arguments, descriptors, memory and files of all processes, the network, signals.

    Uncontained commands are the user's: files, memory and the network are theirs then, and the
    command says so before it begins.
    """
    home, work = tmp_path / "home", tmp_path / "out"
    for name in (".netrc", ".bashrc", ".config/keys", ".env"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"export KEY={key}\n")
    places = ["environ", "cmdline", "descriptors"]
    out = work / "swebench-origin-rule"
    with model_server(key=key, answer=lambda _: "on") as server:
        if kind != "none":
            folders = (home, REPO, tmp_path, "/home", "/etc", "/run", "/tmp")  # noqa: S108
            places += ["memory", "processes", *map(str, folders), urlsplit(server.url).netloc]
        hunt = f"python3 hunt.py {' '.join(places)}"
        server.commands = [
            *(hunt, f"env | rev; {hunt}", "python3 /testbed/hunt.py environ >~/a; cat ~/a"),
            "(python3 hunt.py environ memory >late.txt 2>&1 &) ; echo begun",
            f"echo '{hunt}' > tests.sh && git diff > patch.txt",
            SUBMIT,
        ]
        command = [
            *(sys.executable, "-m", "collect", "swebench", "--agent", f"openai-api/rule/{MODEL}"),
            *("--local", one_line(hunting_ground(tmp_path / "ground")), "--rollouts", "1"),
            *("--base-url", server.url, "--out", out, "--retries", "0"),
        ]
        path = os.environ["PATH"]
        done = subprocess.run(
            [*map(str, command)],
            cwd=REPO,
            env={"RULE_API_KEY": key, "HOME": str(home), "PATH": path, "AWS_SECRET": key},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    tally.tried += len(server.commands)
    tally.crashed += done.returncode not in (0, 1) or "Traceback" in done.stderr
    assert done.returncode == 0, done.stderr
    assert server.requests == len(server.commands)
    (trajectory,) = out.rglob("*.traj.json")
    said = json.loads(trajectory.read_text())
    hunted = [each["extra"]["raw_output"] for each in said["messages"] if each["role"] == "tool"]
    assert not any("Traceback" in each for each in hunted), hunted
    leaks = finds(key, work, done.stdout, done.stderr)
    tally.wrong += len(leaks) + ("reached" in "".join(hunted))
    assert said["info"]["evaluation"]["resolved"], (said["info"]["evaluation"], hunted)
    assert ("warning" in done.stderr) == (kind == "none")


def ask(folder: Path, server: ModelServer, *more: object) -> "list[str]":
    """The command that asks a model of this server."""
    model = (f"openai-api/rule/{MODEL}", "--base-url", server.url, "--retries", 0)
    data = ("--dataset", folder / "built", "--config", "sokoban", "--out", folder / "work" / "out")
    return ["-m", "bagen_data", "predict", "model", *map(str, (*model, *data, *more))]


def play(folder: Path, server: ModelServer, *more: object) -> "list[str]":
    """The command that lets a model of this server play."""
    agent = ("--agent", f"openai-api/rule/{MODEL}", "--base-url", server.url, "--retries", 0)
    out = ("--rollouts", 2, "--out", folder / "work" / "sokoban-origin-rule")
    return ["-m", "collect", "sokoban", *map(str, (*agent, *out, *more))]


def variables(folder: Path, key: str, **more: str) -> dict[str, str]:
    home = {"HOME": str(folder / "work"), "XDG_DATA_HOME": str(folder / "work" / "data")}
    return {"PATH": os.environ["PATH"], "RULE_API_KEY": key} | home | more


KILLED = -1
"""Value in place of a status: the client is killed with half of its answers."""
STREAMED = -2
"""Value in place of a status: a good answer, in pieces."""
ECHOES = {
    "as it is": lambda key: key,
    "in a url": lambda key: f"http://rule:{quote(key)}@host/v1?api_key={quote(key)}",
    "in base64": lambda key: base64.b64encode(f"rule:{key}".encode()).decode(),
    "in a header": lambda key: f"{{'Authorization': 'Bearer {key}', 'x': '{key.encode().hex()}'}}",
}


@pytest.mark.attack("a server repeats the key")
@pytest.mark.parametrize("make", [ask, play])
def test_a_server_repeats_the_key(tmp_path: Path, key: str, make, tally: Tally) -> None:
    """Secrets are in answers, in errors of every kind, in headers, and before a run is killed."""
    rows = [dialogue([(9, 5)] * 4, name=f"row {n}") for n in range(3)]
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "a.json", rows)
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    echoes = list(ECHOES)[-tally.size(1, 4) :]
    failures = (400, 0, 500, 401)[: tally.size(1 if make is ask else 2, 4)]
    cases = [(status, echo) for echo in echoes for status in failures]
    cases += [(KILLED, "as it is")] * tally.size(0, 1)
    cases += [(STREAMED, "as it is")] * tally.size(0, 1)
    for status, echo in cases:
        text = ECHOES[echo](key)
        more = ("--model-arg", "stream=true") if status == STREAMED else ()
        with model_server(key=key, said=text, headers={"X-Echo": key}) as server:
            server.answer = lambda number: f"{text}\n<answer>[0, {number}]</answer>"  # noqa: B023
            server.is_malformed = status == 500
            server.fail = lambda _: max(status, 0)  # noqa: B023
            server.most = 3 if status == KILLED else None
            process = FORKS.start(make(tmp_path, server, *more), variables(tmp_path, key))
            if status == KILLED:
                while server.requests <= 3:
                    assert process.poll() is None
                    time.sleep(0.01)
                process.send_signal(signal.SIGKILL)
            said = process.communicate(SECONDS)
            if status == KILLED:
                assert not finds(key, tmp_path / "work", *said)
                server.most = None
                done = FORKS.run(make(tmp_path, server, "--resume"), variables(tmp_path, key))
                said = done.stdout, done.stderr
        tally.tried += 1
        tally.crashed += "Traceback" in said[1]
        assert server.requests, said
        leaks = finds(key, tmp_path / "work", *said)
        tally.wrong += bool(leaks)
        assert not leaks, (status, echo, leaks)
        shutil.rmtree(tmp_path / "work")


@pytest.mark.attack("a key in an option")
def test_a_key_in_an_option(tmp_path: Path, key: str, tally: Tally) -> None:
    """Secrets are in addresses, arguments at any depth and names; given, or in the environment."""
    with model_server(key=key) as server:
        host = urlsplit(server.url).netloc
        addresses = [
            *(f"http://{host}/v1?{name}={key}" for name in ("api_key", "key", "token", "sig", "x")),
            *(f"http://rule:{key}@{host}/v1", f"http://{key}@{host}/v1", f"http://{host}/v1#{key}"),
            *(f"http://{host}/v1%3Fapi_key={key}", f"http://{host}/{key}/v1"),
        ]
        arguments = [
            *(f"api_key={key}", f'headers=["Authorization: Bearer {key}"]', key, f"a={key}"),
            *(f'a=[{{"b": [{{"api_key": "{key}"}}]}}]', f'a=[["x-api-key", "{key}"]]'),
            *(f"a=http://u:{key}@host", f'a="{{\\"token\\": \\"{key}\\"}}"', "token=[1, 2]"),
        ]
        cases = [("--base-url", each) for each in addresses]
        cases += [("--model-arg", each) for each in arguments]
        own = [("--link", f"https://host/?token={key}"), ("--name", key)]
        given = [(ask, option) for option in (*cases, *own)] + [(play, option) for option in cases]
        for make, option in given[:: tally.size(9, 1)]:
            done = FORKS.run(make(tmp_path, server, *option), variables(tmp_path, key))
            tally.tried += 1
            tally.crashed += "Traceback" in done.stderr
            tally.wrong += done.returncode != 2 or server.requests > 0
            tally.wrong += bool(finds(key, tmp_path, done.stdout, done.stderr))
            assert not tally.wrong, (option, done)
        in_environment = [(make, address) for make in (ask, play) for address in addresses]
        for make, address in in_environment[:: tally.size(9, 1)]:
            command = make(tmp_path, server)
            place = command.index("--base-url")
            del command[place : place + 2]
            more = {"RULE_BASE_URL": address}
            done = FORKS.run(command, variables(tmp_path, key, **more))
            tally.tried += 1
            tally.crashed += "Traceback" in done.stderr
            tally.wrong += done.returncode != 2 or server.requests > 0
            tally.wrong += bool(finds(key, tmp_path, done.stdout, done.stderr))
            assert not tally.wrong, (address, done)
