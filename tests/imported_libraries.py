"""Imported by the process that commands are forked from: libraries that most commands import.

None of them reads the environment when it is imported; each command has one of its own.
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
