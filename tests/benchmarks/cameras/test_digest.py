"""Passwords, with an answer that the program md5sum worked out."""

from __future__ import annotations

import pytest

from benchmarks.cameras.digest import challenge, is_right

URI = "rtsp://127.0.0.1:554/door"
RIGHT = {"username": "me", "realm": "camera", "nonce": "0a1b", "uri": URI}
RESPONSE = "545919cebcdae790f2baaefa018ce957"
"""For DESCRIBE: md5(md5("me:camera:s3cret"):0a1b:md5("DESCRIBE:rtsp://127.0.0.1:554/door"))."""


def answer(**changed: str) -> str:
    return "Digest " + ", ".join(f'{key}="{value}"' for key, value in {**RIGHT, **changed}.items())


@pytest.mark.parametrize(
    ("changed", "method", "nonce", "is_let_in"),
    [
        ({}, "DESCRIBE", "0a1b", True),
        ({}, "SETUP", "0a1b", False),
        ({}, "DESCRIBE", "ffff", False),
        ({"nonce": "ffff"}, "DESCRIBE", "0a1b", False),
        ({"username": "you"}, "DESCRIBE", "0a1b", False),
        ({"uri": "rtsp://127.0.0.1:554/till"}, "DESCRIBE", "0a1b", False),
        ({"response": "0" * 32}, "DESCRIBE", "0a1b", False),
    ],
)
def test_a_digest_is_right_in_all_its_parts(changed, method, nonce, is_let_in):
    given = answer(**{"response": RESPONSE, **changed})

    assert is_right("digest", given, method, nonce, "me", "s3cret") is is_let_in


def test_nothing_and_another_scheme_are_not_right():
    assert not is_right("digest", "", "DESCRIBE", "0a1b", "me", "s3cret")
    assert not is_right("digest", "Basic bWU6czNjcmV0", "DESCRIBE", "0a1b", "me", "s3cret")
    assert is_right("basic", "Basic bWU6czNjcmV0", "DESCRIBE", "0a1b", "me", "s3cret")
    assert not is_right("basic", "Basic bWU6czNjcmV1", "DESCRIBE", "0a1b", "me", "s3cret")


def test_a_challenge_names_its_scheme():
    assert challenge("digest", "0a1b") == 'WWW-Authenticate: Digest realm="camera", nonce="0a1b", algorithm=MD5\r\n'
    assert challenge("basic", "0a1b") == 'WWW-Authenticate: Basic realm="camera"\r\n'
