from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts
from collect.agents import Reply, ScriptedAgent
from collect.dialogue_layout import record
from collect.environment import Observation, Rules
from collect.play import Played, PlayedTurn, play, within


class Countdown:
    """Counts down by what it is told, and is solved at 0."""

    system = "Count down."
    instance_id = "from-3"

    def __init__(self) -> None:
        self.left = 3

    def start(self) -> str:
        return "3 left"

    def step(self, response: str) -> Observation:
        if response != "down":
            return Observation(f"no such thing: {self.left} left")
        self.left -= 1
        is_over = self.left == 0
        return Observation(f"{self.left} left", ("down",), is_over, is_over, {"left": self.left})

    def outcome(self) -> dict[str, int]:
        return {"final_left": self.left}


def words(text: str) -> int:
    return len(text.split())


def played(answers: list[str], **rules: int):
    said = iter(answers)
    agent = ScriptedAgent(lambda _: next(said), words)
    return play(Countdown(), agent, Rules(**{"turns": 9, "response_tokens": 9, **rules}), words)


def test_a_rollout_ends_where_the_environment_does_and_its_last_text_is_no_turn():
    rollout = played(["down", "up", "down", "down", "never asked"])
    assert rollout.success
    assert [turn.messages[-1]["content"] for turn in rollout.turns] == [
        "3 left",
        "2 left",
        "no such thing: 2 left",
        "1 left",
    ]
    assert [turn.observation.actions for turn in rollout.turns] == [
        ("down",),
        (),
        ("down",),
        ("down",),
    ]


def test_a_rollout_ends_with_its_turns():
    rollout = played(["up"] * 9, turns=2)
    assert not rollout.success
    assert len(rollout.turns) == 2


def test_inputs_repeat_the_history():
    turns = played(["down", "down", "down"]).turns
    assert [(turn.reply.input_tokens, turn.reply.output_tokens) for turn in turns] == [
        (2 + 2, 1),
        (2 + 2 + 1 + 2, 1),
        (2 + 2 + 1 + 2 + 1 + 2, 1),
    ]


def test_a_cut_history_is_marked_and_keeps_the_system_message():
    asked = []

    class Listening:
        def reply(self, messages):
            asked.append([message["content"] for message in messages])
            return Reply("down", 1, 1)

    rollout = play(Countdown(), Listening(), Rules(9, 9, history_tokens=7), words)
    assert asked[1] == ["Count down.", "3 left", "down", "2 left"]
    assert asked[2] == ["Count down.", "2 left", "down", "1 left"]
    assert [turn.is_cut for turn in rollout.turns] == [False, False, True]
    assert [
        turn.get("context_token_truncated", False) for turn in record(0, rollout, None)["turns"]
    ] == [
        False,
        False,
        True,
    ]


def test_what_cannot_be_cut_stays():
    chat = [{"role": "system", "content": "a b c"}, {"role": "user", "content": "d e f"}]
    assert within(chat, 1, words) == chat


def test_the_record_is_read_as_it_was_played():
    kept = record(4, played(["down", "down", "down"]), "words")
    assert (kept["env_id"], kept["absolute_env_id"]) == (4, 4)
    assert [turn["turn_idx"] for turn in kept["turns"]] == [1, 2, 3]
    log = read_record(kept, FamilyFacts())
    assert log.success
    assert log.system == "Count down."
    assert log.instance_id == "from-3"
    assert [(turn.user, turn.assistant) for turn in log.turns] == [
        ("3 left", "down"),
        ("2 left", "down"),
        ("1 left", "down"),
    ]
    assert [turn.success for turn in log.turns] == [False, False, True]


def test_the_record_says_what_is_simulated_and_what_was_reported():
    simulated = record(0, played(["down"] * 3), "words")
    assert simulated["simulated_usage"] == "words"
    assert "api_interactions" not in simulated["turns"][0]
    assert simulated["turns"][0]["left"] == 2
    assert simulated["final_left"] == 0
    reply = Reply("Up", 7, 9, raw="<think>hm</think> Up", usage={"prompt_tokens": 7})
    seen = Observation("2 left", ("Up",))
    turn = PlayedTurn(({"role": "user", "content": "go"},), reply, seen, is_cut=False)
    reported = record(0, Played("i", (turn,), {}), None)
    assert "simulated_usage" not in reported
    first_turn = reported["turns"][0]
    assert first_turn["api_interactions"] == [{"usage": {"raw": {"prompt_tokens": 7}}}]
    assert (first_turn["raw_response"], first_turn["parsed_response"]) == (
        "<think>hm</think> Up",
        "Up",
    )
    assert (first_turn["api_input_tokens"], first_turn["api_output_tokens"]) == (7, 9)
    assert first_turn["api_total_tokens"] == 16
