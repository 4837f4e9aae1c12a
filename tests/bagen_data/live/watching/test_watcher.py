"""A watched log may grow, shrink, vanish, come back, or hold nothing that can be counted."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.live.watching.watch_setup import WatchOptions, WatchSetup
from bagen_data.live.watching.watcher import Watcher
from tests.bagen_data.live.live_forecaster import SumForecaster
from tests.bagen_data.live.watching.sessions import (
    SIZES,
    agent_lines,
    append,
    claude_lines,
    used,
    watcher,
)
from tests.making import chat, dialogue, trajectory, write_json, write_lines

LINES = claude_lines("s1")


def test_a_session_is_followed_line_by_line(tmp_path: Path) -> None:
    path = append(tmp_path / "s1.jsonl", LINES[:2])
    watched = watcher(path)
    assert used(watched) == [350]
    append(path, LINES[2:3])
    assert used(watched) == [350]
    append(path, LINES[3:])
    assert used(watched) == [350, 520, 760]
    assert watched.state.first_new == 1
    assert not watched.look()
    assert watched.state.rollout is not None
    assert watched.state.rollout.source == "Claude Code 2.1.80"


def test_a_last_line_that_is_half_written_is_waited_for(tmp_path: Path) -> None:
    path = append(tmp_path / "s1.jsonl", LINES[:2])
    watched = watcher(path)
    text = "".join(json.dumps(each) + "\n" for each in LINES[2:])
    for cut in range(0, len(text), 97):
        path.write_text("".join(json.dumps(each) + "\n" for each in LINES[:2]) + text[:cut])
        assert used(watched) in ([350], [350, 520], [350, 520, 760])
        assert not watched.state.problem
    append(path, [])


def test_a_json_file_that_is_half_written_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.traj.json", trajectory("i", SIZES[:1]))
    watched = watcher(path)
    assert used(watched) == [350]
    whole = json.dumps(trajectory("i", SIZES))
    path.write_text(whole[:200])
    assert used(watched) == [350]
    assert "is not JSON, or cut off" in watched.state.notes[-1]
    assert "the state before is shown" in watched.state.notes[-1]
    path.write_text(whole)
    assert used(watched) == [350, 520, 760]
    assert not watched.state.notes


def test_a_turn_whose_usage_changes_is_told_again(tmp_path: Path) -> None:
    path = append(tmp_path / "s1.jsonl", LINES[:4])
    watched = watcher(path)
    assert used(watched) == [350, 520]
    later = json.loads(json.dumps(LINES[3]))
    later["uuid"], later["message"]["usage"]["output_tokens"] = "again", 170
    append(path, [later])
    assert used(watched) == [350, 620]
    assert watched.state.first_new == 1


def test_a_last_turn_without_usage_is_waited_for(tmp_path: Path) -> None:
    open_line = json.loads(json.dumps(LINES[3]))
    open_line["message"]["usage"] = None
    path = append(tmp_path / "s1.jsonl", [*LINES[:3], open_line])
    watched = watcher(path)
    assert used(watched) == [350]
    assert watched.state.notes == ("turn 2 is not counted yet: its usage is not written",)


@pytest.mark.parametrize("how", ["cut", "replaced", "removed"])
def test_a_log_that_begins_anew_is_read_anew(tmp_path: Path, how: str) -> None:
    path = append(tmp_path / "s1.jsonl", LINES)
    watched = watcher(path)
    assert used(watched) == [350, 520, 760]
    other = claude_lines("s2", ((10, 20), (30, 40)))
    if how == "cut":
        path.write_text("")
    elif how == "replaced":
        os.replace(append(tmp_path / "new", other[:2]), path)
    else:
        path.unlink()
    if how == "replaced":
        assert used(watched) == [30]
    else:
        assert used(watched) == [350, 520, 760]
        assert "the state before is shown" in watched.state.notes[-1]
        append(path, other[:2])
        assert used(watched) == [30]
    assert any("begin anew" in note for note in watched.state.notes)
    append(path, other[2:])
    assert used(watched) == [30, 100]


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later" / "s1.jsonl"
    watched = watcher(path)
    assert used(watched) == []
    assert "does not exist yet; it is waited for" in watched.state.notes[0]
    append(path, LINES)
    assert used(watched) == [350, 520, 760]


def test_an_empty_log_has_no_turn_yet(tmp_path: Path) -> None:
    path = append(tmp_path / "s1.jsonl", [])
    watched = watcher(path)
    assert used(watched) == []
    assert not watched.state.problem
    append(path, LINES[:1])
    assert used(watched) == []
    assert not watched.state.problem


def test_a_log_without_usage_says_what_to_do(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [chat(["hi", "ho", "on", "off"])])
    watched = watcher(path)
    assert used(watched) == []
    assert "turn 1 has no usage" in watched.state.problem
    assert "give --tokenizer" in watched.state.problem


def test_one_broken_record_is_named_beside_the_others(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [dialogue(), {"odd": 1}, dialogue(name="b")])
    watched = watcher(path)
    assert used(watched) == [80, 160, 220]
    notes = " ".join(watched.state.notes)
    assert "2 rollouts are in the file; the last one is shown" in notes
    assert "1 record cannot be used; the first: a.json[1]: is of no known format" in notes


def test_a_rollout_is_chosen_by_its_place(tmp_path: Path) -> None:
    sizes = ((1, 2), (3, 4))
    path = write_json(tmp_path / "a.json", [dialogue(sizes), dialogue(name="b")])
    watched = watcher(path, rollout="a.json[0] (0)")
    assert used(watched) == [3, 10]
    with pytest.raises(WrongUsageError, match="--rollout nobody: no rollout of"):
        watcher(path, rollout="nobody").look()
    named = watched.state.rollout
    assert named is not None
    by_id = watcher(path, rollout=named.rollout.rollout_id)
    assert used(by_id) == [3, 10]
    longer = (*sizes, (5, 6))
    write_json(path, [dialogue(longer), dialogue(name="b")])
    assert used(by_id) == [3, 10, 21]


def test_a_file_of_a_family_is_counted_as_the_family_is(tmp_path: Path) -> None:
    family = tmp_path / "searchr1-origin-m"
    turns = dialogue()
    turns["turns"][1]["api_input_tokens"] = 10
    turns["turns"][2]["api_input_tokens"] = 5
    write_json(family / "a.json", [turns])
    path = write_json(family / "b.json", [dialogue(((30, 50),))])
    watched = watcher(path)
    assert used(watched) == [80]
    assert watched.state.task == "searchr1"
    write_json(path, [dialogue(((30, 50), (10, 70)))])
    assert used(watched) == [80, 240]


def test_a_family_whose_counts_contradict_each_other_is_refused(tmp_path: Path) -> None:
    family = tmp_path / "searchr1-origin-m"
    other = dialogue(name="c")
    other["turns"][1]["api_input_tokens"] = other["turns"][2]["api_input_tokens"] = 5
    write_json(family / "a.json", [dialogue(), other])
    with pytest.raises(InputError, match="--usage request or --usage turn"):
        watcher(family / "a.json").look()


def test_a_writer_that_never_rests_is_kept_up_with(tmp_path: Path) -> None:
    sizes = [(9, 5)] * 400
    lines = claude_lines("s1", sizes)
    path = append(tmp_path / "s1.jsonl", lines[:2])
    text = "".join(json.dumps(each) + "\n" for each in lines[2:]).encode()

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for start in range(0, len(text), 311):
                file.write(text[start : start + 311])
                time.sleep(0.0005)

    writer = threading.Thread(target=write)
    writer.start()
    watched, counts = watcher(path), []
    while writer.is_alive():
        counts.append(len(used(watched)))
        assert not watched.state.problem
        assert not watched.state.notes
    writer.join()
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert used(watched)[-1] == 400 * 14


def test_the_session_that_was_written_last_is_followed(tmp_path: Path) -> None:
    append(tmp_path / "p" / "old.jsonl", claude_lines("old"))
    os.utime(tmp_path / "p" / "old.jsonl", (1, 1))
    new = append(tmp_path / "q" / "new.jsonl", claude_lines("new", ((10, 20),)))
    write_json(tmp_path / "q" / "settings.json", {"a": 1})
    watched = watcher(tmp_path)
    assert used(watched) == [30]
    assert watched.state.path == new
    assert "of the logs in" in watched.state.notes[0]
    later = append(tmp_path / "p" / "later.jsonl", claude_lines("later", ((1, 2),)))
    assert used(watched) == [3]
    assert watched.state.path == later
    assert "is followed now: it was written last" in watched.state.notes[0]
    append(new, claude_lines("new", ((10, 20), (30, 40)))[2:])
    assert used(watched) == [3]
    os.utime(later, (1, 1))
    assert used(watched) == [30, 100]


def test_a_subagent_belongs_to_its_session(tmp_path: Path) -> None:
    main = append(tmp_path / "s1.jsonl", LINES[:4])
    append(tmp_path / "s0.jsonl", claude_lines("s0"))
    os.utime(tmp_path / "s0.jsonl", (1, 1))
    for log in (tmp_path, main):
        watched = watcher(log)
        assert used(watched) == [350, 520]
        agent = append(tmp_path / "s1" / "subagents" / "agent-x.jsonl", agent_lines("s1", "x"))
        assert used(watched) == [350, 520 + 760]
        assert watched.state.path == main
        agent.unlink()


def test_a_folder_without_logs_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "s1.jsonl").touch()
    os.mkfifo(tmp_path / "pipe.jsonl")
    watched = watcher(tmp_path)
    assert used(watched) == []
    assert "holds no log yet; it is waited for" in watched.state.notes[0]
    append(tmp_path / "s1.jsonl", LINES[:2])
    assert used(watched) == [350]


@pytest.mark.parametrize("target", ["loop.jsonl", "gone.jsonl"])
def test_a_link_to_nothing_disturbs_no_session_beside_it(target: str, tmp_path: Path) -> None:
    path = append(tmp_path / "s1.jsonl", LINES)
    (tmp_path / "loop.jsonl").symlink_to(target)
    assert used(watcher(path)) == used(watcher(tmp_path)) == [350, 520, 760]


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match="is not a regular file"):
        watcher(tmp_path / "pipe.jsonl").look()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = append(tmp_path / "s1.jsonl", LINES)
    path.chmod(0)
    watched = watcher(path)
    assert used(watched) == []
    assert "cannot be read: Permission denied" in watched.state.problem
    path.chmod(0o600)
    assert used(watched) == [350, 520, 760]


def test_a_turn_without_usage_makes_what_is_used_a_lower_bound(tmp_path: Path) -> None:
    lines = json.loads(json.dumps(LINES))
    lines[3]["message"]["usage"] = None
    path = append(tmp_path / "s1.jsonl", lines)
    watched = watcher(path, budget="tokens=2000,turns=9")
    assert used(watched) == [350, 350, 760]
    turns = watched.state.turns
    assert [turn.at_least for turn in turns] == [frozenset(), {"tokens"}, {"tokens"}]
    assert [turn.used["turns"] for turn in turns] == [1, 2, 3]
    notes = " ".join(watched.state.notes)
    assert "1 turn without usage (2): what is shown is the least that was used" in notes
    assert "tokens are counted as at least" in notes
    uncounted = watcher(path)
    assert used(uncounted) == [350, 350, 760]
    assert uncounted.state.turns[-1].at_least == {"tokens"}


def test_a_tokenizer_is_advised_where_it_can_count_alone(tmp_path: Path) -> None:
    lines = json.loads(json.dumps(LINES))
    lines[3]["message"]["usage"] = None
    watched = watcher(append(tmp_path / "texts.jsonl", lines))
    watched.look()
    assert "--tokenizer counts all turns by their texts" in watched.state.notes[0]
    picture = {"type": "image", "source": {"type": "base64", "data": "aGk="}}
    lines[0]["message"]["content"] = [picture, {"type": "text", "text": "look"}]
    watched = watcher(append(tmp_path / "pictures.jsonl", lines))
    watched.look()
    advice = "the log does not show the text of an image, so --tokenizer cannot count it, either"
    assert advice in watched.state.notes[0]


def test_a_file_of_labels_is_not_said_to_be_absent(tmp_path: Path) -> None:
    path = append(tmp_path / "labels.jsonl", [{"rollout": "s1", "success": True}])
    watched = watcher(path)
    watched.look()
    assert watched.state.notes == (f"{path} holds no log yet; it is waited for",)


@pytest.mark.parametrize("has_subagent", [False, True])
def test_no_tokenizer_is_advised_for_a_subagents_usage(tmp_path: Path, has_subagent: bool) -> None:
    lines = claude_lines("s1", SIZES[:1])
    helper = agent_lines("s1", "a7")
    (helper if has_subagent else lines)[1]["message"]["usage"] = None
    append(tmp_path / "agent-a7.jsonl", helper)
    watched = watcher(append(tmp_path / "s1.jsonl", lines))
    watched.look()
    (note,) = watched.state.notes
    assert note.startswith("turn 1 is not counted yet: its usage is not written")
    assert ("--tokenizer" in note) != has_subagent


def test_the_last_rollout_is_the_last_in_the_file(tmp_path: Path) -> None:
    open_turn = dialogue(name="a")
    open_turn["turns"][2]["api_input_tokens"] = None
    path = write_json(tmp_path / "a.json", [open_turn, dialogue(((1, 2), (3, 4)), name="b")])
    assert used(watcher(path)) == [3, 10]


def test_a_later_log_of_another_task_does_not_end_the_watch(tmp_path: Path) -> None:
    append(tmp_path / "s1.jsonl", LINES)
    forecaster = SumForecaster()
    setup = WatchSetup(WatchOptions(forecaster="f"), forecaster, None, {"tokens": 2_000}, ())
    watched = Watcher(tmp_path, setup)
    assert used(watched) == [350, 520, 760]
    other = append(tmp_path / "support-origin-m" / "s2.jsonl", claude_lines("s2"))
    assert used(watched) == []
    assert "the logs are of the task support" in watched.state.problem
    other.unlink()
    assert used(watched) == [350, 520, 760]
    with pytest.raises(InputError, match="the logs are of the task support"):
        Watcher(append(other, claude_lines("s2")), setup).look()
