"""Libraries that most commands import, for a process that commands are forked from.

None of them reads a variable that a test changes when it is imported; consoles do.
"""

import email.message  # noqa: F401
import importlib.metadata  # noqa: F401

import httpx  # noqa: F401
import jinja2  # noqa: F401
import orjson  # noqa: F401
import pandas  # noqa: F401
import pyarrow.compute
import pyarrow.parquet  # noqa: F401
import pydantic.type_adapter  # noqa: F401
import rich.progress
import rich.table  # noqa: F401
import typer.core  # noqa: F401
import yaml  # noqa: F401
