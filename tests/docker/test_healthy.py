"""What a container is asked for its health: a graph that serves answers, one that does not is taken at its life."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.repository import ROOT


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Answer one question for its health with a status, and give the port."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()
            self.wfile.write(b"a node failed")

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server.server_port
        thread.join()


def asked(port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "docker/healthy.py", str(port)], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("status", "code", "told"), [(200, 0, ""), (503, 1, "503 a node failed")])
def test_a_graph_that_serves_says_how_it_is(status: int, code: int, told: str) -> None:
    with answering(status) as port:
        found = asked(port)

    assert (found.returncode, found.stderr.strip()) == (code, f"port {port}: {told}" if told else "")


def test_a_graph_that_serves_nothing_is_well() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port

    assert asked(port).returncode == 0
