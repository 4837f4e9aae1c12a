"""Names of agents, as `--agent` has them: STRATEGY:PROVIDER/MODEL, or PROVIDER/MODEL alone."""

import re
from typing import NamedTuple

_STRATEGY = re.compile(r"([a-z]+):(?=[^/]*/)")
"""Letters and a colon before the provider; after the first `/` a colon belongs to the model."""


class AgentName(NamedTuple):
    """The parts of an agent's name."""

    strategy: str
    """Use of the model in a rollout, such as `bats`; empty where it answers turn by turn."""
    model: str
    """PROVIDER/MODEL as of Inspect, or a scripted agent."""


def read_agent_name(name: str) -> AgentName:
    """Split an agent's name.

    >>> read_agent_name("bats:openai/gpt-5.2")
    AgentName(strategy='bats', model='openai/gpt-5.2')
    >>> read_agent_name("ollama/llama3:8b")
    AgentName(strategy='', model='ollama/llama3:8b')
    """
    match = _STRATEGY.match(name)
    return AgentName(match[1], name[match.end() :]) if match else AgentName("", name)
