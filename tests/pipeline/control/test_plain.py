"""What a run says of itself as plain data: nothing of it holds a password."""

from __future__ import annotations

from pipeline.control.plain import without_passwords


def test_passwords_are_hidden_wherever_they_stand() -> None:
    url, hidden = "rtsp://me:secret@h/x", "rtsp://me:***@h/x"

    assert without_passwords({url: [url, (url, 1, None, True, 0.5)], "deep": {"er": {url: url}}}) == {
        hidden: [hidden, [hidden, 1, None, True, 0.5]],
        "deep": {"er": {hidden: hidden}},
    }
