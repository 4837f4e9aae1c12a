"""Scrubbing: what should not be published, in texts and in whole builds."""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.reading.scrubbing import scrub, scrub_report, scrub_rollout, scrub_texts
from tests.making import REPO, build, build_record, chat, rollout, write_lines

PEM = "\n".join(
    (
        *("-----BEGIN RSA " + "PRIVATE KEY-----", "MIIEowIBAAKCAQEA" + "x" * 48, "y" * 64, "ab=="),
        "-----END RSA " + "PRIVATE KEY-----",
    )
)
SECRETS = {
    "AKIA" + "IOSFODNN7EXAMPLE": "aws key",
    "ghp_" + "a1" * 18: "github token",
    "github_pat_" + "A1" * 20: "github token",
    "glpat-" + "A1" * 10: "gitlab token",
    "sk-ant-api03-" + "B1" * 20: "anthropic key",
    "sk-" + "a" * 20 + "T3BlbkFJ" + "b" * 20: "openai key",
    "sk-proj-" + "aB3_" * 20: "openai key",
    "sk-or-v1-" + "0f" * 32: "openrouter key",
    "AIza" + "Sy0" * 11 + "ab": "google key",
    "hf_" + "aB" * 17: "hugging face token",
    "gsk_" + "aB" * 26: "groq key",
    "xoxb-" + "1" * 12 + "-" + "a" * 24: "slack token",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U": (
        "json web token"
    ),
    "anna.smith+x@corp.co.uk": "e-mail",
}
TEXTS = {
    "postgres://app:" + "hunter22" + "@db/x": "postgres://app:[scrubbed: password in a url 1]@db/x",
    "Authorization: Bearer " + "abcdefghij" * 3: (
        "Authorization: Bearer [scrubbed: bearer token 1]"
    ),
    PEM + "\nend": "-----[scrubbed: private key 1]\nend",
    PEM.replace("\n", "\\n") + "\\nend": "-----[scrubbed: private key 1]\\nend",
    "/home/anna/x /home/anna": "/home/[scrubbed: user 1]/x /home/[scrubbed: user 1]",
    "in /Users/anna. Then": "in /Users/[scrubbed: user 1]. Then",
    r"C:\Users\Anna Smith\x": r"C:\Users\[scrubbed: user 1]\x",
    r'{"path": "C:\\Users\\anna\\x"}': r'{"path": "C:\\Users\\[scrubbed: user 1]\\x"}',
    "gcc -I/home/anna/include": "gcc -I/home/[scrubbed: user 1]/include",
    r"ls\n/home/anna/x": r"ls\n/home/[scrubbed: user 1]/x",
    r"by\nanna@corp.io": r"by\n[scrubbed: e-mail 1]",
    "~anna/x and anna": "~[scrubbed: user 1]/x and anna",
    "projects/-home-anna-shop/s.jsonl": "projects/-home-[scrubbed: user 1]-shop/s.jsonl",
    "anna@laptop:/home/anna$ Anna": (
        "[scrubbed: user 1]@laptop:/home/[scrubbed: user 1]$ [scrubbed: user 1]"
    ),
    "/home/max/x = max(1, 2)": "/home/[scrubbed: user 1]/x = max(1, 2)",
    "/home/anna hannah anna_x": "/home/[scrubbed: user 1] hannah anna_x",
}
KEPT = (
    *("/home/ubuntu/x", "/home/user", "/Users/runner/work", "/root/.cache", "cd /home", "~/x"),
    *("https://x.org/home/anna", "src/home/index.tsx", "/users/17", "~~gone~~", "~half the size"),
    *(
        "git@github.com:a/b.git",
        "a@b",
        "icon@2x.png",
        "@app.route('/')",
        "x @ y.T",
    ),
    *("d41d8cd98f00b204e9800998ecf8427e", "123e4567-e89b-12d3-a456-426614174000"),
    *("password = 'secret'", "the key is right", 'if "BEGIN RSA ' + 'PRIVATE KEY" in text: pass'),
    *("eyJ is how a token begins", "task-anticipation-of-the-whole-thing", "sha256:" + "ab" * 32),
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around", ["{}", "export KEY={} # x", '{{"a": "{}"}}', r"ls\n{}\n", "({})"]
)
def test_a_secret_is_replaced(secret: str, around: str) -> None:
    kind = SECRETS[secret]
    expected = around.format(f"[scrubbed: {kind} 1]")
    assert scrub(around.format(secret)) == (expected, Counter({kind: 1}))


@pytest.mark.parametrize("text", TEXTS)
def test_the_secret_part_of_a_text_is_replaced(text: str) -> None:
    assert scrub(text)[0] == TEXTS[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_names_nobody_is_kept(text: str) -> None:
    assert scrub(text) == (text, Counter())


@pytest.mark.parametrize("text", TEXTS)
def test_scrubbing_twice_changes_nothing(text: str) -> None:
    once, _ = scrub(text)
    assert scrub(once) == (once, Counter())


def test_the_same_secret_has_one_number_in_all_texts() -> None:
    texts, counts = scrub_texts(["anna ann@a.io bob@b.io", "bob@b.io", "/home/anna", "ann@a.io"])
    assert texts == [
        "[scrubbed: user 1] [scrubbed: e-mail 1] [scrubbed: e-mail 2]",
        "[scrubbed: e-mail 2]",
        "/home/[scrubbed: user 1]",
        "[scrubbed: e-mail 1]",
    ]
    assert counts == {"e-mail": 4, "user": 2}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(SECRETS)),
            st.sampled_from([" ", "\n", '", "', " = ", "\t", "\\n", "(", ">"]),
            st.text(max_size=20),
        ),
        max_size=8,
    )
)
def test_no_secret_is_left_whatever_stands_around(parts: list[tuple[str, str, str]]) -> None:
    text, counts = scrub("".join(f"{more}{gap}{secret}{gap}" for secret, gap, more in parts))
    for secret, _, _ in parts:
        assert secret not in text
    assert sum(counts.values()) >= len(parts)


LONG = {
    "no space": "a" * 10**6,
    "slashes": "//x" * 10**5,
    "tokens that never end": "eyJ" * 10**5,
    "keys that never end": "sk-" * 10**5,
    "addresses": "a@" * 10**5,
    "hosts": "a@" + "b." * 10**5,
    "homes": "/home/" * 10**5,
    "drives": "C:\\Users\\" * 10**4,
    "a key's headers": PEM[:31] + "\n" + "x: " * 10**5,
    "a key's lines": PEM[:31] + "\n" + "x-y: z\n" * 10**4,
}


@pytest.mark.parametrize("case", LONG)
def test_long_texts_take_time_in_proportion(case: str) -> None:
    start = time.monotonic()
    scrub(LONG[case])
    assert time.monotonic() - start < 10


def test_a_rollout_keeps_all_but_its_texts() -> None:
    own = rollout([(30, 50), (10, 70)])
    turns = (own.turns[0].__class__("/home/anna", "anna", own.turns[0].usage), *own.turns[1:])
    scrubbed, counts, names = scrub_rollout(replace(own, turns=turns, system="Anna"))
    assert scrubbed.system == "[scrubbed: user 1]"
    assert scrubbed.turns[0].user == "/home/[scrubbed: user 1]"
    assert scrubbed.turns[0].usage == own.turns[0].usage
    assert scrubbed.turns[1:] == own.turns[1:]
    assert (scrubbed.rollout_id, scrubbed.instance_id) == ("r", "i")
    assert counts == {"user": 3}
    assert (
        scrub_report("anna/x.json: ann@a.io", names)
        == "[scrubbed: user 1]/x.json: [scrubbed: e-mail 1]"
    )


def test_an_id_that_names_somebody_becomes_a_hash() -> None:
    own = rollout([(30, 50)])
    ids = {"rollout_id": "/home/anna/1", "instance_id": "ann@a.io"}
    scrubbed, counts, _ = scrub_rollout(replace(own, **ids))
    assert counts["id"] == 2
    assert len(scrubbed.rollout_id) == len(scrubbed.instance_id) == 16
    assert scrubbed == scrub_rollout(replace(own, **ids)).rollout


SECRET = next(iter(SECRETS))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    contents = [f"key {SECRET}", "see /home/anna/x", "anna: ann@a.io", "done", "x", "y"]
    counts = [[30, 5], [60, 10], [90, 5]]
    rows: list[Any] = [chat(contents, per_turn_api_tokens=counts), chat(["anna", "b"])]
    rows[1]["metadata"]["success"] = "ann@a.io"
    write_lines(tmp_path / "origin" / "sokoban-origin-m" / "-home-anna-x" / "a.jsonl", rows)
    return tmp_path / "origin"


def published(out: Path) -> str:
    texts = [path.read_text() for path in out.iterdir() if path.is_file()]
    tables = [str(pq.read_table(path).to_pylist()) for path in sorted(out.rglob("*.parquet"))]
    return "\n".join(texts + tables)


def test_a_scrubbed_build_holds_no_secret(logs: Path, tmp_path: Path) -> None:
    assert build(logs, tmp_path / "plain") == 0
    assert build(logs, tmp_path / "out", "--scrub") == 0
    for secret in (SECRET, "anna", "ann@a.io"):
        assert secret in published(tmp_path / "plain")
        assert secret not in published(tmp_path / "out")
    plain, scrubbed = build_record(tmp_path / "plain"), build_record(tmp_path / "out")
    assert scrubbed["scrub"] is True
    assert scrubbed["families"][0]["scrubbed"] == {"aws key": 1, "e-mail": 1, "user": 2}
    assert scrubbed["revision"] != plain["revision"]
    assert "scrub" not in plain
    assert "scrubbed" not in plain["families"][0]
    (source,) = scrubbed["families"][0]["sources"]
    assert source["path"] == "-home-[scrubbed: user 1]-x/a.jsonl"


def test_ids_and_usage_do_not_depend_on_scrubbing(logs: Path, tmp_path: Path) -> None:
    tables = []
    for name, flags in (("a", ()), ("b", ("--scrub",)), ("c", ("--scrub", "--workers", 2))):
        assert build(logs, tmp_path / name, *flags) == 0
        path = tmp_path / name / "data" / "rollouts" / "sokoban-test-m.parquet"
        tables.append(pq.read_table(path).to_pylist()[0])
    plain, scrubbed, parallel = tables
    assert scrubbed == parallel
    same = [name for name in plain if plain[name] == scrubbed[name]]
    assert {"rollout_id", "instance_id", "rollout_success"} <= set(same)
    for own, clean in zip(plain["turns"], scrubbed["turns"], strict=True):
        assert {**own, "user": "", "assistant": ""} == {**clean, "user": "", "assistant": ""}


def test_a_missing_extra_is_named(logs: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['detect_secrets'] = None\n"
        "from builders.cli import main; main(sys.argv[1:])"
    )
    flags = ("build", "--origin", str(logs), "--out", str(tmp_path / "out"))
    command = [sys.executable, "-c", code, *flags]
    assert subprocess.run(command, cwd=REPO, check=False).returncode == 0
    done = subprocess.run(
        [*command, "--scrub", "--workers", "2"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'bagen-data[scrub]'" in " ".join(done.stderr.split())
