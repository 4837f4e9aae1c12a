"""Send the code of packages to the workers of a Dask cluster, those that join later included."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed.diagnostics.plugin import WorkerPlugin


def code_sender(packages: Sequence[str]) -> "WorkerPlugin":
    """Return a plugin that makes workers import packages from the code of this process.

    Args:
        packages: names of packages that are folders.
    """
    code = {}
    for package in packages:
        folder = Path(import_module(package).__path__[0])
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                code[f"{package}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    digests = b"".join(
        hashlib.sha256(part).digest() for part in (*map(str.encode, code), *code.values())
    )
    return _unpacker(code, f"bagen-code-{hashlib.sha256(digests).hexdigest()[:16]}")


def _unpacker(code: Mapping[str, bytes], digest: str) -> "WorkerPlugin":
    """Return a plugin that unpacks code, where a worker does not import the same already.

    Its class is one of this function, so that it is sent with its own code, and a worker needs
    none of ours to have it.

    Args:
        code: the content of each file by its path, which starts with its package's name.
        digest: a name for it.
    """
    from distributed.diagnostics.plugin import WorkerPlugin

    class Unpacker(WorkerPlugin):
        name = digest
        files = code

        def setup(self, worker: Any) -> None:
            import sys
            import tempfile
            from importlib import invalidate_caches
            from importlib.util import find_spec
            from pathlib import Path

            def is_there(path: str) -> bool:
                package, _, inside = path.partition("/")
                spec = find_spec(package)
                if spec is None or spec.origin is None:
                    return False
                file = Path(spec.origin).parent / inside
                return file.is_file() and file.read_bytes() == self.files[path]

            if all(map(is_there, self.files)):
                return
            folder = tempfile.mkdtemp(prefix=self.name, dir=worker.local_directory)
            for path, content in self.files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            packages = {path.partition("/")[0] for path in self.files}
            for module in [each for each in sys.modules if each.partition(".")[0] in packages]:
                del sys.modules[module]
            sys.path.insert(0, folder)
            invalidate_caches()

    return Unpacker()
