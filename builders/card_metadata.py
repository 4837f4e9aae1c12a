"""The metadata of a dataset's card: YAML that the Hub and `datasets` read."""

from typing import Any


def yaml_text(value: Any) -> str:
    r"""Return a value as YAML, without the newline at its end.

    >>> yaml_text([{"name": "a: b", "path": ["x"]}])
    "- name: 'a: b'\n  path:\n  - x"
    """
    import yaml

    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1_000).rstrip("\n")
