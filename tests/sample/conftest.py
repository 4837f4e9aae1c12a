"""The bundled country, and a family of SWE-bench that is played once for all tests here."""

from tests.collect.searchr1.conftest import bundled, corpus, library, questions
from tests.collect.swebench.conftest import family

__all__ = ["bundled", "corpus", "family", "library", "questions"]
