"""What cannot be decoded is refused in one paragraph."""

from __future__ import annotations

import pytest

from pipeline import containers
from tests.clips import cut, write_clip, write_sound
from tests.decoding import refusal


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "no.mp4") == (
        f"stream 'door': {tmp_path}/no.mp4: expected a video file, got nothing there; check the path"
    )


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.mp4").touch()

    assert refusal(tmp_path / "a.mp4") == (
        f"stream 'door': {tmp_path}/a.mp4: expected a video file, got an empty file; copy or record it again"
    )


def test_a_device_is_refused():
    assert refusal("/dev/zero") == (
        "stream 'door': /dev/zero: expected a video file, got a device or pipe; give a file"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"FFmpeg would draw this text as a picture\n" * 40),
        ("list.ffconcat", b"ffconcat version 1.0\nfile a.mp4\n"),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("a.mp4", b"\0\1\2\3" * 200),
    ],
)
def test_what_is_no_video_is_refused_whatever_its_name(tmp_path, name, content):
    write_clip(tmp_path / "a.mp4", 2)
    (tmp_path / name).write_bytes(content)

    message = refusal(tmp_path / name)

    assert message.startswith(
        f"stream 'door': {tmp_path}/{name}: expected a video file, got one that FFmpeg cannot open ("
    )
    assert message.endswith("); if it should be a video, it is cut off or damaged: copy or record it again")


def test_sound_alone_is_refused(tmp_path):
    assert refusal(write_sound(tmp_path / "a.m4a")) == (
        f"stream 'door': {tmp_path}/a.m4a: expected a video, got a file with audio (aac); give a file that has moving "
        "pictures"
    )


def test_a_video_without_a_whole_frame_is_refused(tmp_path):
    clip = cut(write_clip(tmp_path / "a.mp4", 5), 0.7)

    assert refusal(clip) == (
        f"stream 'door': {clip}: expected frames, got none that can be decoded (5 damaged); copy or record it again"
    )


def test_a_picture_larger_than_memory_should_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_PIXELS", 1000)

    assert refusal(write_clip(tmp_path / "a.mp4", 2)) == (
        f"stream 'door': {tmp_path}/a.mp4: expected to read on, got: Invalid argument; copy or convert the file"
    )


def test_a_camera_that_is_not_there_is_refused():
    assert refusal("/dev/video99").startswith(
        "stream 'door': camera '/dev/video99': expected the device /dev/video99, got none; cameras here: "
    )


def test_an_address_that_nobody_answers_hides_its_password():
    assert refusal("rtsp://me:secret@127.0.0.1:1/door") == (
        "stream 'door': rtsp://me:***@127.0.0.1:1/door: expected a stream, got: Connection refused; check that the "
        "address is right and the sender runs"
    )
