"""A file in its place: from a mirror, from its makers, out of their archive, by several processes at once."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, FetchError, PipelineError
from pipeline.model_files import held_part
from pipeline.model_files.fetching import Wanted, archive_of, fetch
from pipeline.model_files.settings import Settings
from pipeline.model_files.transfer import Means
from tests.pipeline.model_files.test_archives import tar, zipped
from tests.pipeline.model_files.web import Web
from tests.repository import ROOT

NET = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(NET).hexdigest()
MEANS = Means(timeout_s=5, sleep=lambda s: None)


def refusal(wanted: Wanted, settings: Settings | None = None) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(wanted, settings or Settings(), MEANS)
    return str(caught.value)


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


def test_a_file_comes_from_its_makers(site: Web, place: Path) -> None:
    site.serve("a/net.onnx", NET)

    assert fetch(Wanted(place, site.url("a/net.onnx")), Settings(), MEANS) == SHA256
    assert place.read_bytes() == NET


def test_a_mirror_is_asked_first_by_the_name_of_the_file(site: Web, place: Path) -> None:
    site.serve("mirror/net.onnx", NET)

    for mirror in (site.url("mirror"), site.url("mirror/")):
        assert fetch(Wanted(place, "https://models.example/v1.onnx"), Settings(mirror=mirror), MEANS) == SHA256
        place.unlink()
    assert [path for path, _ in site.asked] == ["/mirror/net.onnx"] * 2


def test_what_a_mirror_has_not_or_has_wrong_comes_from_the_makers(
    site: Web, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site.serve("net.onnx", NET)
    wanted = Wanted(place, site.url("net.onnx"), sha256=SHA256)
    mirror = Settings(mirror=site.url("mirror"))

    assert fetch(wanted, mirror, MEANS) == SHA256
    assert caplog.messages == [
        f"{site.url('mirror/net.onnx')}: expected the file, got the answer 404, there is no such file; see whether the "
        "address opens in a browser; tried elsewhere"
    ]
    site.serve("mirror/net.onnx", NET[::-1])
    place.unlink()
    assert fetch(wanted, mirror, MEANS) == SHA256
    assert "it was thrown away; tried elsewhere" in caplog.messages[1]


def test_it_is_told_of_each_place_why_it_is_not_there(site: Web, place: Path) -> None:
    wanted = Wanted(place, site.url("net.onnx"))

    first, second = refusal(wanted, Settings(mirror=site.url("mirror"))).splitlines()

    assert first.startswith(f"{site.url('mirror/net.onnx')}: expected the file, got the answer 404")
    assert second.startswith(f"{site.url('net.onnx')}: expected the file, got the answer 404")


def test_a_mirror_in_the_open_may_send_us_on_in_the_open(site: Web, place: Path) -> None:
    site.serve("real", NET)
    site.serve("mirror/net.onnx", onward=f"http://0.0.0.0:{site.port}/real")  # this machine, but not by its own name
    wanted = Wanted(place, "https://models.example/net.onnx")

    assert fetch(wanted, Settings(mirror=site.url("mirror")), MEANS) == SHA256


def test_a_folder_is_a_mirror_without_a_network(tmp_path: Path, place: Path) -> None:
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb/net.onnx").write_bytes(NET)
    wanted = Wanted(place, "https://models.example/net.onnx", sha256=SHA256, bytes=len(NET))

    assert fetch(wanted, Settings(offline=True, mirror=tmp_path / "usb"), MEANS) == SHA256
    assert place.read_bytes() == NET

    (tmp_path / "usb/net.onnx").write_bytes(NET[1:])
    place.unlink()
    assert refusal(wanted, Settings(offline=True, mirror=tmp_path / "usb")) == (
        f"{tmp_path}/usb/net.onnx: expected {len(NET)} bytes, got {len(NET) - 1}; it was thrown away"
    )
    (tmp_path / "usb/net.onnx").unlink()
    assert refusal(wanted, Settings(offline=True, mirror=tmp_path / "usb")) == (
        f"{tmp_path}/usb/net.onnx: cannot be read (No such file or directory); put it there or unset GAZE_MODELS_MIRROR"
    )
    assert left(place) == []


def test_offline_nothing_is_asked(site: Web, place: Path) -> None:
    site.serve("net.onnx", NET)

    with pytest.raises(ConfigError) as caught:
        fetch(Wanted(place, site.url("net.onnx")), Settings(offline=True, mirror=site.url("mirror")), MEANS)

    assert str(caught.value) == f"{place}: expected a network or a mirror to fetch it from, got neither"
    assert site.asked == []


@pytest.mark.parametrize("name", ["all.zip", "all.tar.gz"])
def test_a_file_is_taken_out_of_an_archive(site: Web, place: Path, tmp_path: Path, name: str) -> None:
    make = zipped if name.endswith("zip") else tar
    content = make(tmp_path / name, ("pack/net.onnx", NET), ("pack/other.onnx", b"other")).read_bytes()
    site.serve(name, content)
    sums = {"sha256": SHA256, "archive_sha256": hashlib.sha256(content).hexdigest(), "bytes": len(NET)}
    wanted = Wanted(place, site.url(name), "net.onnx", **sums)

    assert fetch(wanted, Settings(), MEANS) == SHA256
    assert place.read_bytes() == NET
    assert left(place) == sorted([archive_of(wanted).name, "net.onnx"])

    other = Wanted(place.with_name("other.onnx"), site.url(name), "other.onnx")
    assert archive_of(other) == archive_of(wanted)
    fetch(other, Settings(), MEANS)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"sha256": "0" * 64}, f", 'net.onnx' in it: expected the sha256 {'0' * 64}, got {SHA256}; it was thrown"),
        ({"bytes": len(NET) + 1}, f", 'net.onnx' in it: expected {len(NET) + 1} bytes, got {len(NET)}; it was thrown"),
        ({"archive_sha256": "0" * 64}, f": expected the sha256 {'0' * 64}, got "),
    ],
)  # fmt: skip
def test_what_is_in_an_archive_is_checked(
    site: Web, place: Path, tmp_path: Path, how: dict[str, Any], told: str
) -> None:
    site.serve("all.zip", zipped(tmp_path / "all.zip", ("net.onnx", NET)).read_bytes())

    assert refusal(Wanted(place, site.url("all.zip"), "net.onnx", **how)).startswith(site.url("all.zip") + told)
    assert left(place) == []


def test_an_archive_that_cannot_be_used_is_not_kept(site: Web, place: Path, tmp_path: Path) -> None:
    site.serve("all.zip", zipped(tmp_path / "all.zip", ("../net.onnx", NET)).read_bytes())
    wanted = Wanted(place, site.url("all.zip"), "net.onnx")

    assert refusal(wanted) == (
        f"{archive_of(wanted)}: expected a name inside the archive, got '../net.onnx', which leads out; refused"
    )
    assert left(place) == []
    assert not (place.parent.parent / "net.onnx").exists()


def test_an_archive_is_kept_when_the_disk_is_full(
    site: Web, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.serve("all.zip", zipped(tmp_path / "all.zip", ("net.onnx", NET)).read_bytes())
    wanted = Wanted(place, site.url("all.zip"), "net.onnx")
    whole = held_part.write_whole

    def write(file: Any, content: bytes) -> None:
        if Path(os.readlink(f"/proc/self/fd/{file.fileno()}")).name == "net.onnx.part":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(file, content)

    with monkeypatch.context() as patch, pytest.raises(PipelineError, match="a full disk"):
        patch.setattr(held_part, "write_whole", write)
        fetch(wanted, Settings(), MEANS)

    assert left(place) == [archive_of(wanted).name]
    fetch(wanted, Settings(), MEANS)
    assert len(site.asked) == 1


def test_what_stood_there_stays_until_the_new_one_is_whole(site: Web, place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(b"old")
    site.serve("net.onnx", NET, cuts=[10, 0, 0, 0, 0])
    refusal(Wanted(place, site.url("net.onnx")))
    assert place.read_bytes() == b"old"

    fetch(Wanted(place, site.url("net.onnx")), Settings(), MEANS)
    assert place.read_bytes() == NET


FETCH = """
import sys
from pathlib import Path
from pipeline.model_files.fetching import Wanted, fetch
from pipeline.model_files.settings import Settings
from pipeline.model_files.transfer import Means
print(fetch(Wanted(Path(sys.argv[1]), sys.argv[2]), Settings(), Means()))
"""


def test_two_processes_at_once_fetch_it_once(site: Web, place: Path) -> None:
    half = threading.Event()
    site.serve("net.onnx", NET, held=half)
    command = [sys.executable, "-c", FETCH, str(place), site.url("net.onnx")]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    half.set()

    assert [process.communicate(timeout=30)[0] for process in both] == [f"{SHA256}\n"] * 2
    assert place.read_bytes() == NET
    assert left(place) == ["net.onnx"]


def test_who_waited_takes_what_the_other_fetched(site: Web, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    half = threading.Event()
    site.serve("net.onnx", NET, held=half)
    told: list[str] = []
    reached = threading.Event()
    first = Means(progress=lambda name, done, total: reached.set())
    wanted = Wanted(place, site.url("net.onnx"))
    threads = [threading.Thread(target=lambda: told.append(fetch(wanted, Settings(), first)))]
    threads[0].start()
    assert reached.wait(10)
    threads.append(threading.Thread(target=lambda: told.append(fetch(wanted, Settings(), MEANS))))
    threads[1].start()
    while not caplog.messages:
        assert threads[1].is_alive()
    half.set()
    for thread in threads:
        thread.join(10)

    assert told == [SHA256, SHA256]
    assert len(site.asked) == 1
    assert caplog.messages == [f"{place}: another process fetches it; waiting"]
