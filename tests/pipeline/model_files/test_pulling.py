"""The file of a card: found, fetched, and its checksum kept to."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from pipeline.cards import load_card
from pipeline.errors import ConfigError, FetchError
from tests.pipeline.model_files.carded import NET, SHA256, refusal, store, write
from tests.pipeline.model_files.test_archives import zipped
from tests.pipeline.model_files.web import Web


def pinned_in(root: Path) -> str:
    where = root / "models/fetched/pins.yaml"
    return f"its makers tell no checksum, so it is held to this one from now on: {SHA256} ({where})"


def test_a_file_with_a_known_checksum_is_fetched_once(tmp_path: Path, site: Web, url: str) -> None:
    write(tmp_path, url=url, sha256=SHA256)

    assert store(tmp_path).pull("net") == f"net: fetched to {tmp_path}/models/fetched/net.onnx"
    assert store(tmp_path).pull("net") == f"net: here, {tmp_path}/models/fetched/net.onnx"
    assert len(site.asked) == 1
    assert sorted(path.name for path in (tmp_path / "models/fetched").iterdir()) == ["net.onnx"]


def test_a_file_goes_to_the_folder_that_is_set(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, url=url, sha256=SHA256)
    monkeypatch.setenv("GAZE_MODELS", str(tmp_path / "own"))

    store(tmp_path).pull("net")

    assert load_card("net", tmp_path)[1] == tmp_path / "own/net.onnx"
    assert (tmp_path / "own/net.onnx").read_bytes() == NET


def test_a_file_without_a_known_checksum_is_held_to_the_first_one(tmp_path: Path, site: Web, url: str) -> None:
    write(tmp_path, url=url)

    assert store(tmp_path).pull("net") == f"net: fetched to {tmp_path}/models/fetched/net.onnx; {pinned_in(tmp_path)}"
    assert load_card("net", tmp_path)[0].sha256 == SHA256
    assert yaml.safe_load((tmp_path / "models/fetched/pins.yaml").read_text()) == {url: SHA256}

    (tmp_path / "models/fetched/net.onnx").unlink()
    changed = hashlib.sha256(NET[1:]).hexdigest()
    site.serve("net.onnx", NET[1:])
    assert refusal(store(tmp_path)) == (
        f"{url}: expected the sha256 {SHA256}, got {changed}; it was thrown away\n"
        f"model 'net': it is held to what came first ({tmp_path}/models/fetched/pins.yaml); to take what is there now: "
        "python run_graph.py models pull net --accept-change"
    )
    told = store(tmp_path).pull("net", accept_change=True)
    assert told.endswith(f"held to this one from now on: {changed} ({tmp_path}/models/fetched/pins.yaml)")
    assert load_card("net", tmp_path)[0].sha256 == changed


def test_a_file_that_changed_here_is_told_and_can_be_accepted(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url)
    store(tmp_path).pull("net")
    path = tmp_path / "models/fetched/net.onnx"
    path.write_bytes(b"mine")
    mine = hashlib.sha256(b"mine").hexdigest()

    assert refusal(store(tmp_path)) == (
        f"{path}: expected the sha256 {SHA256} pinned in {tmp_path}/models/fetched/pins.yaml, got {mine}; remove it "
        "and type python run_graph.py models pull net, or, if it may change, python run_graph.py models pull net "
        "--accept-change"
    )
    store(tmp_path).pull("net", accept_change=True)
    assert load_card("net", tmp_path)[0].sha256 == mine
    assert path.read_bytes() == b"mine"


def test_a_file_put_there_by_hand_is_held_to_on_first_use(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url)
    path = tmp_path / "models/fetched/net.onnx"
    assert store(tmp_path).keep_to("net") is None
    path.parent.mkdir(parents=True)
    path.write_bytes(NET)

    assert store(tmp_path).keep_to("net") == f"net: {path}; {pinned_in(tmp_path)}"
    assert store(tmp_path).keep_to("net") is None
    assert store(tmp_path).pull("net") == f"net: here, {path}"


def test_a_file_of_ones_own_may_change(tmp_path: Path) -> None:
    write(tmp_path, file="net.onnx")
    (tmp_path / "net.onnx").write_bytes(NET)

    assert store(tmp_path).keep_to("net") is None
    assert store(tmp_path).pull("net") == f"net: here, {tmp_path}/net.onnx"
    assert not (tmp_path / "models").exists()


def test_a_damaged_file_that_was_fetched_is_fetched_anew(
    tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    write(tmp_path, url=url, sha256=SHA256)
    path = tmp_path / "models/fetched/net.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(NET[:-1])

    assert store(tmp_path).pull("net") == f"net: fetched to {path}"
    assert path.read_bytes() == NET
    assert caplog.messages[0].endswith("; fetched anew")


def test_a_damaged_file_that_somebody_else_keeps_is_left_alone(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, url=url, sha256=SHA256)
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "net.onnx").write_bytes(b"other")
    other = hashlib.sha256(b"other").hexdigest()
    monkeypatch.setenv("GAZE_REAL_MODELS", str(kept))

    assert refusal(store(tmp_path, {"GAZE_REAL_MODELS": str(kept)})) == (
        f"{kept}/net.onnx: expected the sha256 {SHA256} of the card 'net', got {other}; remove it and type python "
        "run_graph.py models pull net, or write its own card if you mean it"
    )
    assert (kept / "net.onnx").read_bytes() == b"other"


def test_what_ships_or_was_never_published_is_not_fetched(tmp_path: Path) -> None:
    write(tmp_path, shipped=True, sha256=SHA256)
    path = tmp_path / "models/fetched/net.onnx"
    assert refusal(store(tmp_path)) == (
        f"model 'net': expected the file {path}, got none; it ships with this repository: restore it with git checkout"
    )
    path.parent.mkdir(parents=True)
    path.write_bytes(NET[1:])
    assert refusal(store(tmp_path)).endswith("; restore it with git checkout")
    path.write_bytes(NET)
    assert store(tmp_path).pull("net") == f"net: ships, {path}"

    path.unlink()
    write(tmp_path, convert="run its export.py")
    assert refusal(store(tmp_path)) == (
        f"model 'net': expected the file {path}, got none; its makers publish no such file, make it and put it there: "
        "run its export.py"
    )


def test_what_is_missing_is_named_once_for_each_file(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url)
    write(tmp_path, "again", url=url)
    write(tmp_path, "own", file="own.onnx")

    assert [one.name for one in store(tmp_path).missing(["net", "again", "own", "net"])] == ["net"]


def test_two_files_of_an_archive_are_taken_out_of_one(tmp_path: Path, site: Web) -> None:
    site.serve("all.zip", zipped(tmp_path / "all.zip", ("a.onnx", NET), ("b.onnx", NET[1:])).read_bytes())
    for name in ("a", "b"):
        write(tmp_path, name, url=site.url("all.zip"), member=f"{name}.onnx", file=f"models/fetched/{name}.onnx")
    both = store(tmp_path)

    with both.opened():
        both.pull("a")
        both.pull("b")

    fetched = tmp_path / "models/fetched"
    assert (len(site.asked), (fetched / "b.onnx").read_bytes()) == (1, NET[1:])
    assert sorted(path.name for path in fetched.iterdir()) == ["a.onnx", "b.onnx", "pins.yaml"]
    assert set(yaml.safe_load((fetched / "pins.yaml").read_text())) == {
        f"{site.url('all.zip')}#a.onnx",
        f"{site.url('all.zip')}#b.onnx",
    }


def test_an_archive_stays_where_it_was_ended_by_hand(tmp_path: Path, site: Web) -> None:
    site.serve("all.zip", zipped(tmp_path / "all.zip", ("net.onnx", NET)).read_bytes())
    write(tmp_path, url=site.url("all.zip"), member="net.onnx")
    where = store(tmp_path)

    with pytest.raises(KeyboardInterrupt), where.opened():
        where.pull("net")
        raise KeyboardInterrupt

    assert [path.suffix for path in (tmp_path / "models/fetched").glob("*all.zip")] == [".zip"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("file:///etc/passwd", "expected an address such as https://host/model.onnx, got 'file:///etc/passwd'"),
        ("http://host/net.onnx", "expected an https address, got 'http://host/net.onnx'"),
    ],
)
def test_cards_with_other_addresses_are_refused(tmp_path: Path, url: str, told: str) -> None:
    write(tmp_path, url=url)

    with pytest.raises(ConfigError) as caught:
        load_card("net", tmp_path)
    assert told in str(caught.value)


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url)
    (tmp_path / "models").write_text("")

    told = refusal(store(tmp_path))

    assert told == (
        f"{tmp_path}/models/fetched: expected a folder for model files, got a file in its path; name another folder in "
        "GAZE_MODELS"
    )


def test_a_failure_to_fetch_is_its_own_kind(tmp_path: Path, site: Web) -> None:
    write(tmp_path, url=site.url("gone.onnx"))

    with pytest.raises(FetchError):
        store(tmp_path).pull("net")
