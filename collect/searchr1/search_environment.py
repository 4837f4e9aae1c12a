"""A question, played: search as often as you like within the turns, then answer."""

from collections.abc import Mapping
from typing import Any

from collect.environment import Observation, Rules
from collect.searchr1.judging import exact_match, f1
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Hit, Library
from collect.searchr1.search_actions import EXPECTED, Finish, Illegal, Search, parse
from collect.searchr1.search_defaults import DOCUMENT_WORDS, DOCUMENTS

RULES = Rules(turns=10)
"""Limits of a rollout. The history is not cut: its first message is the question."""

SEARCH = "search"
"""The tool whose calls are counted."""

_AVAILABLE = f"Available actions: {EXPECTED}"
_SYSTEM = f"""\
You answer a question with the help of a search engine. In each turn you may think first, between \
<think> and </think>. Then you take exactly one action, between <answer> and </answer>:

search[<query>]   shows the documents that share the most telling words with the query
finish[<answer>]  gives your final answer and ends the task

You have at most {RULES.turns} turns, each for one action; a response without one costs its turn. \
The final answer is compared with the accepted ones word by word, so give it alone and short: a \
name, a number with its unit, a year, yes or no.

For example:
<think>I need the year in which the mill was built. First I look for the mill.</think>
<answer>search[Oldfield mill built]</answer>"""


class SearchEnvironment:
    """A question over a library; solved if the final answer is an exact match (normalised)."""

    system = _SYSTEM

    def __init__(
        self,
        question: SearchQuestion,
        library: Library,
        *,
        documents: int = DOCUMENTS,
        document_words: int = DOCUMENT_WORDS,
    ) -> None:
        """Take the question, and how many documents and words of each a search shows."""
        self.instance_id = question.id
        self.question = question
        self._library = library
        self._documents = documents
        self._document_words = document_words
        self._answer: str | None = None

    def start(self) -> str:
        """Return the question and the actions."""
        return f"Question: {self.question.text}\n{_AVAILABLE}"

    def step(self, response: str) -> Observation:
        """Search, finish, or say what was wrong with the response.

        Raises:
            RuntimeError: the question has been answered before.
        """
        if self._answer is not None:
            raise RuntimeError(f"question {self.instance_id} has been answered; start another")
        action = parse(response)
        match action:
            case Search():
                return self._search(action)
            case Finish():
                return self._finish(action)
            case Illegal():
                return Observation(
                    f"No action was taken: the response {action.problem}. Expected one action, as "
                    f"<answer>search[<query>]</answer> or <answer>finish[<answer>]</answer>.\n\n"
                    f"{_AVAILABLE}"
                )

    def calls(self, response: str) -> Mapping[str, int]:
        """Return one search, if the response asks for one."""
        return {SEARCH: 1} if isinstance(parse(response), Search) else {}

    def outcome(self) -> Mapping[str, Any]:
        """Return the question, its accepted answers, the answer given (or None) and its score."""
        given, accepted = self._answer, self.question.answers
        return {
            "question": self.question.text,
            "golden_answers": list(accepted),
            "answer": given,
            "exact_match": given is not None and exact_match(given, accepted),
            "f1": 0.0 if given is None else round(f1(given, accepted), 4),
        }

    def _search(self, action: Search) -> Observation:
        hits = self._library.search(action.query, self._documents)
        return Observation(
            f"{self._results(action.query, hits)}\n\n{_AVAILABLE}",
            actions=(str(action),),
            logged={"documents": [hit.document.id for hit in hits]},
        )

    def _results(self, query: str, hits: tuple[Hit, ...]) -> str:
        if not query:
            return "The query is empty, so nothing was found. Say what to search for."
        if not hits:
            return (
                f"Search results for '{query}':\nNothing was found: no document has a word of the "
                "query. Try other words."
            )
        documents = (self._shown(number, hit) for number, hit in enumerate(hits, 1))
        return f"Search results for '{query}':\n" + "\n\n".join(documents)

    def _shown(self, number: int, hit: Hit) -> str:
        words = hit.document.text.split()
        text = " ".join(words[: self._document_words])
        cut = " ..." if len(words) > self._document_words else ""
        return (
            f"[Document {number}] (ID: {hit.document.id}, Score: {hit.score:.3f})\n"
            f'"{hit.document.title}"\n{text}{cut}'
        )

    def _finish(self, action: Finish) -> Observation:
        self._answer = action.answer
        is_right = exact_match(action.answer, self.question.answers)
        return Observation(
            f"Your answer: {action.answer}. It is {'right' if is_right else 'wrong'}.",
            actions=(str(action),),
            done=True,
            success=is_right,
        )
