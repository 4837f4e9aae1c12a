"""Commands without mini-swe-agent."""

import sys

import pytest

from bagen_data.errors import InputError
from collect.swebench.minisweagent_import import load_mini_swe_agent


def test_a_missing_tool_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("minisweagent")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "minisweagent", None)
    load_mini_swe_agent.cache_clear()
    with pytest.raises(InputError) as caught:
        load_mini_swe_agent()
    assert "pip install --no-deps mini-swe-agent==2.4.6" in str(caught.value)
    assert "litellm" in str(caught.value)
