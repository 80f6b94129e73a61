"""Files of architectures, each written once."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what writes the file of an architecture where it is not written yet."""
    from training.architectures.names import architectures
    from training.architectures.write import write

    folder, known = tmp_path_factory.mktemp("architectures"), architectures()

    def written(name: str) -> Path:
        path = folder / known[name].file
        return path if path.is_file() else write(name, known[name], folder)

    return written
