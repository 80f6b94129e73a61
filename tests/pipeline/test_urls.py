"""What is live and what is a file, by the address alone."""

from __future__ import annotations

import pytest

from pipeline.urls import is_live, redact


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("http://cam/live.m3u8", True),
        ("https://cam/live.m3u8?token=x", True),
        ("http://cam:8080/video.cgi", True),
        ("http://cam/", True),
        ("https://site/clips/a.mp4", False),
        ("https://site/a.mkv#t=3", False),
        ("rtsps://cam/1.mp4", True),
        ("rtmpt://site/live", True),
        ("udp://127.0.0.1:5000", True),
        ("/dev/video3", True),
        ("12", True),
        ("clips/live.m3u8", False),
    ],
)
def test_live_or_file(url, live):
    assert is_live(url) is live


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://cam/live.m3u8?token=abc&x=1", "https://cam/live.m3u8?token=***&x=1"),
        ("http://cam/x?Signature=abc", "http://cam/x?Signature=***"),
        ("http://cam/x?access_key=a%26b", "http://cam/x?access_key=***"),
        ("rtsps://me:pa:ss@cam/x", "rtsps://me:***@cam/x"),
    ],
)
def test_what_lets_in_is_hidden(text, shown):
    assert redact(text) == shown
