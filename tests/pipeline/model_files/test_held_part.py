"""Parts of files: on full disks, after Ctrl-C, wanted by two."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import FetchError, PipelineError
from pipeline.model_files import held_part
from pipeline.model_files.held_part import HeldPart
from pipeline.model_files.transfer import Asked, Means, bring
from tests.pipeline.model_files.bringing import CONTENT, MOST, SHA256, Around, brought, given_up, left, refusal
from tests.pipeline.model_files.web import Web


def test_a_note_that_makes_no_sense_is_no_note(site: Web, place: Path) -> None:
    given_up(site, place)
    for text in ("", "[1]", '{"origin": 1}', '{"origin": "a", "validator": null, "bytes": 1, "more": 2}'):
        (place.parent / "net.onnx.part.json").write_text(text)
        with HeldPart(place, lambda: None) as part:
            assert part.note() is None


def test_a_disk_without_room_is_known_before_it_is_full(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT)

    assert refusal(site.url("net.onnx"), place, Around(free_bytes=lambda folder: 1000)) == (
        f"{place}: expected 1048576 free bytes, got 1000; free space or name another folder in GAZE_MODELS"
    )
    assert [path.name for path in place.parent.iterdir() if path.stat().st_size > 300] == []


def test_a_disk_that_is_full_keeps_what_came(site: Web, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.serve("net.onnx", CONTENT)
    written: list[int] = []

    def write(file: Any, content: bytes) -> None:
        written.append(len(content))
        if len(written) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write(content)

    with monkeypatch.context() as patch:
        patch.setattr(held_part, "write_whole", write)
        told = refusal(site.url("net.onnx"), place)
    assert told == (
        f"{place}.part: expected to write, got a full disk; free space or name another folder in GAZE_MODELS; what was "
        "written stays readable"
    )

    site.asked.clear()
    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == [f"bytes={sum(written[:2])}-"]


def test_what_is_ended_by_hand_stays_to_be_gone_on_with(site: Web, place: Path) -> None:
    site.serve("net.onnx", CONTENT)

    def interrupt(name: str, done: int, total: int | None) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), HeldPart(place, lambda: None) as part:
        bring(Asked(site.url("net.onnx"), MOST), part, Means(progress=interrupt))
    kept = (place.parent / "net.onnx.part").stat().st_size
    site.asked.clear()

    assert kept > 500_000
    assert brought(site.url("net.onnx"), place) == SHA256
    assert site.ranges() == [f"bytes={kept}-"]


def test_two_at_once_wait_for_each_other(site: Web, place: Path) -> None:
    waits = threading.Event()
    first = HeldPart(place, lambda: None)
    second: list[HeldPart] = []
    thread = threading.Thread(target=lambda: second.append(HeldPart(place, waits.set)))
    thread.start()
    assert waits.wait(10)
    assert second == []
    first.write(b"whole")
    first.finish()
    thread.join(10)

    assert place.read_bytes() == b"whole"
    with second[0] as part:
        assert part.size == 0
    assert left(place) == ["net.onnx"]


def test_a_link_in_place_of_the_part_is_not_followed(tmp_path: Path, place: Path) -> None:
    place.parent.mkdir()
    (tmp_path / "precious").write_text("text")
    (place.parent / "net.onnx.part").symlink_to(tmp_path / "precious")

    with pytest.raises(PipelineError) as caught:
        HeldPart(place, lambda: None)
    assert not isinstance(caught.value, FetchError)
    assert (tmp_path / "precious").read_text() == "text"
