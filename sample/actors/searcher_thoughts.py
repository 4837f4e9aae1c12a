"""What the scripted searcher says: short thoughts, and responses that forget the rules."""

import random

_FIRST = (
    "I have nothing yet, so I start with '{query}'.",
    "The question turns on '{query}'. I search for that before anything else.",
    "Let me see what there is about '{query}'.",
    "I need facts. A search for '{query}' should give a first document.",
)
_LOOK = (
    "The documents so far, such as {title}, do not settle it. Next I look for '{query}'.",
    "The page on {title} helps in part. What is missing should come with '{query}'.",
    "I have read about {title}. To go on from there I try '{query}'.",
    "That leads me on to '{query}'.",
    "Not all of it is there. I narrow the search down to '{query}'.",
    "Of what was found {title} is nearest, but the answer itself may be elsewhere: '{query}'.",
)
_WANDER = (
    "Perhaps there is something about '{query}'.",
    "I am not sure what to look for. I try '{query}'.",
    "Something more general may help, for instance '{query}'.",
    "It may be worth knowing more about '{query}', even if the question does not ask for it.",
)
_CHECK = (
    "I think I know, but I want a second document: '{query}'.",
    "Before I answer I check it once more with '{query}'.",
    "It was in {title} or next to it. I search in other words, to be sure: '{query}'.",
    "This looks right. One more search, '{query}', to rule out a mistake.",
)
_SURE = (
    "The documents say it: {answer}.",
    "I have what I need. The answer is {answer}.",
    "Putting the documents together, it is {answer}.",
    "It fits the question, so I answer {answer}.",
)
_UNSURE = (
    "I cannot find more. My best guess is {answer}.",
    "I stop here and answer {answer}, though I am not certain.",
    "That has to do. I say {answer}.",
    "Going by what I have seen, if anything, it is {answer}.",
)
_UNKNOWN = (
    "Nothing I have read answers this. I give up.",
    "I do not know and will not search any longer.",
)
_CARELESS = (
    "I should search for {subject}. Let me do that now.",
    "<think>I want to know about {subject}.</think>search[{subject}]",
    "<think>There are two things to find.</think><answer>search[{subject}], search[more]</answer>",
    "<think>I look {subject} up.</think><answer>look up {subject}</answer>",
    "<think>First {subject}.</think><answer>search {subject}</answer>",
    "<think>I think about {subject} for a while, as the documents are long.</think>",
)


def before_search(rng: random.Random, purpose: str, query: str, title: str) -> str:
    """A thought before a search: to `look`, to `wander` or to `check`.

    `title` is that of the best document so far; empty where none was shown.
    """
    if purpose == "look" and not title:
        return rng.choice(_FIRST).format(query=query)
    phrases = {"look": _LOOK, "wander": _WANDER, "check": _CHECK}[purpose]
    return rng.choice(phrases).format(query=query, title=title or "the question itself")


def before_answer(rng: random.Random, answer: str, *, is_sure: bool) -> str:
    """A thought before the final answer."""
    if answer == "unknown":
        return rng.choice(_UNKNOWN)
    return rng.choice(_SURE if is_sure else _UNSURE).format(answer=answer)


def careless(rng: random.Random, subject: str) -> str:
    """A response without a legal action."""
    return rng.choice(_CARELESS).format(subject=subject)


def response(thought: str, action: str) -> str:
    """A thought and an action, as the environment expects them."""
    return f"<think>{thought}</think>\n<answer>{action}</answer>"
