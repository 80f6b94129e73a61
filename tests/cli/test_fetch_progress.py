"""How far fetching is, in lines for people."""

from __future__ import annotations

from io import StringIO

from cli.fetch_progress import FetchProgress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_line_now_and_then() -> None:
    now, out = [0.0], StringIO()
    progress = FetchProgress(out, lambda: now[0])
    for second in range(11):
        now[0] = float(second)
        progress.observe("net.onnx", second * 2_000_000, 40_000_000)
    progress.finish()

    assert out.getvalue().splitlines() == [
        "net.onnx   25%  10.0 MB of 40.0 MB  2.0 MB/s  eta 0:15",
        "net.onnx   50%  20.0 MB of 40.0 MB  2.0 MB/s  eta 0:10",
    ]


def test_progress_on_a_terminal_is_written_over_and_wiped_off() -> None:
    now, out = [0.0], Terminal()
    progress = FetchProgress(out, lambda: now[0])
    progress.observe("net.onnx", 0, None)
    progress.finish()
    assert out.getvalue() == ""
    now[0] = 0.5
    progress.observe("net.onnx", 1_000_000, None)
    progress.finish()

    assert out.getvalue() == "\rnet.onnx  1.0 MB  2.0 MB/s\x1b[K\r\x1b[K"
