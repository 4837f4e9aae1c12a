"""Values of SWE-bench's options: the known ones, and the defaults."""

from types import MappingProxyType

STEPS = 160
"""The most turns a SWE-bench rollout has."""
TOYS = "toys"
"""`--local toys`: the small repositories that come with the clone."""
LOCAL_HELP = (
    "A JSONL file of instances in local git repositories. The agent's shell commands then run on "
    "this machine and as this user: they can read, change and send whatever you can."
)
"""Help of the option for local instances: nobody runs a model's commands without having asked."""
SUBSETS = MappingProxyType(
    {
        "full": "SWE-bench/SWE-bench",
        "lite": "SWE-bench/SWE-bench_Lite",
        "verified": "SWE-bench/SWE-bench_Verified",
    }
)
"""Data sets for the evaluation, by the names that mini-swe-agent gives them."""
SUBSET = "verified"
"""Subset of SWE-bench where none is named."""
