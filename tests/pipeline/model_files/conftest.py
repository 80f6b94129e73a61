"""A web server for each test that wants one, and an environment without settings of the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.model_files import carded
from tests.pipeline.model_files.web import Web, web

SETTINGS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "gaze_models", "gaze_real_models",
    "gaze_offline", "gaze_models_mirror", "gaze_accept_licences")  # fmt: skip


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower() in SETTINGS]:
        monkeypatch.delenv(name)


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as served:
        yield served


@pytest.fixture
def secure(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Serve securely, and trust the certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    with web(tmp_path_factory.mktemp("certificate")) as served:
        monkeypatch.setenv("SSL_CERT_FILE", str(served.certificate))
        yield served


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a file is to stand."""
    return tmp_path / "models" / "net.onnx"


@pytest.fixture
def url(site: Web) -> str:
    site.serve("net.onnx", carded.NET)
    return site.url("net.onnx")
