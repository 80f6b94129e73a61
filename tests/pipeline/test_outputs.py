"""Files and folders for results: whole or not at all, and errors that say what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, PipelineError
from pipeline.outputs import cannot_write, make_folder, write_atomically


def test_a_folder_is_made_with_its_parents(tmp_path):
    made = make_folder(tmp_path / "a" / "b")

    assert made.is_dir()
    assert make_folder(made) == made


@pytest.mark.parametrize("below", ["taken", "taken/deep/down"])
def test_a_folder_below_a_file_is_refused(tmp_path, below):
    (tmp_path / "taken").write_text("kept")

    with pytest.raises(ConfigError) as caught:
        make_folder(tmp_path / below)

    assert str(caught.value) == (
        f"output folder '{tmp_path / below}': expected a folder, got the file '{tmp_path}/taken' in its path; "
        "remove the file or give another folder with --out"
    )
    assert (tmp_path / "taken").read_text() == "kept"


def test_text_is_written_whole(tmp_path):
    write_atomically(tmp_path / "summary.json", "{}")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("summary.json", "{}")]


def test_a_failed_write_keeps_what_stood_there(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PipelineError) as caught:
        write_atomically(path, "new")

    assert str(caught.value) == (
        f"{path}: expected to write, got a full disk; free space or give another folder with --out; what was written "
        "stays readable"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary.json"]
    assert path.read_text() == "old"


def test_a_cause_without_a_known_cure_is_told_as_it_is():
    assert cannot_write(OSError(errno.EIO, "Input/output error")) == (
        "expected to write, got Input/output error; check the path or give another folder with --out"
    )


def test_the_device_that_is_always_full_is_a_full_disk():
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")

    assert cannot_write(caught.value).startswith("expected to write, got a full disk; free space")
