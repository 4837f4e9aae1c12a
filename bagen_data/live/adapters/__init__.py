"""Adapters that let a budget tracker follow the agents of a framework.

    inspect          an agent around another one, and a limit
    langchain        a middleware
    mini_swe_agent   a class that is put in front of an agent's class
    openai_agents    run hooks

Each module imports its framework, and `bagen_data.live` imports none of them. An adapter hands the
tracker what was asked, what was answered and what it cost, shows the tracker's status block to the
agent, and stops the run where the tracker advises it.
"""
