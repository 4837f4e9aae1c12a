"""An adapter whose framework is not installed says which extra has it."""

import subprocess
import sys

import pytest

from tests.making import REPO


@pytest.mark.parametrize(
    ("adapter", "module", "extra"),
    [
        ("inspect", "inspect_ai", "models"),
        ("langchain", "langchain", "langchain"),
        ("openai_agents", "agents", "openai-agents"),
    ],
)
def test_a_missing_framework_is_named_with_its_extra(adapter: str, module: str, extra: str) -> None:
    code = f"import sys; sys.modules['{module}'] = None; import bagen_data.live.adapters.{adapter}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.stderr.rstrip().endswith(f"install it with: pip install 'bagen-data[{extra}]'")


def test_the_class_for_mini_swe_agent_needs_no_framework_to_be_imported() -> None:
    code = (
        "import sys; sys.modules['minisweagent'] = None; "
        "from bagen_data.live.adapters.mini_swe_agent import BudgetAware"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPO, check=True)
