from __future__ import annotations

import pytest

from benchmarks.cameras.clips import Clip, make_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Return 200 small frames, a key frame every 10; two seconds long for a camera of 100 frames a second."""
    return make_clip(tmp_path_factory.mktemp("clip"), (320, 180), frames=200, fps=100, gop=10, source=None)
