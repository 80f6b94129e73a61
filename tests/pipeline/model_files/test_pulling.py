"""The file of a card: found, fetched, its licence accepted, its checksum kept to."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cards import load_card
from pipeline.errors import ConfigError, FetchError, PipelineError
from pipeline.model_files import pins, terms
from pipeline.model_files.ledger import Ledger
from pipeline.model_files.pulling import Store
from pipeline.model_files.settings import Settings
from pipeline.model_files.transfer import Means
from tests.pipeline.model_files.test_archives import zipped
from tests.pipeline.model_files.web import Web

NET = b"a model" * 1000
SHA256 = hashlib.sha256(NET).hexdigest()
CARD = {
    "file": "models/fetched/net.onnx",
    "family": "adder",
    "contract": {"inputs": {"x": {"shape": ["N"]}}, "outputs": {"y": {"shape": ["N"]}}},
}


def write(root: Path, name: str = "net", **changes: Any) -> None:
    folder = root / "configs/models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({**CARD, **changes}))


def store(root: Path, environ: dict[str, str] | None = None, **settings: Any) -> Store:
    means = Means(timeout_s=5, sleep=lambda s: None)
    return Store(root, Settings(**settings), means, environ or {})


def refusal(where: Store, name: str = "net", **how: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        where.pull(name, **how)
    return str(caught.value)


@pytest.fixture
def url(site: Web) -> str:
    site.serve("net.onnx", NET)
    return site.url("net.onnx")


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


RESTRICTED = {"licence": "MIT", "forbids": "For research only."}
WANTED = (
    "model 'net': expected its licence to be accepted before the file is fetched, got no answer yet: MIT: For research "
    "only; to accept it, type python run_graph.py models pull net --accept-licence"
)


def test_a_licence_is_accepted_before_and_once_for_all_with_the_same_words(tmp_path: Path, site: Web, url: str) -> None:
    write(tmp_path, url=url, **RESTRICTED)
    write(tmp_path, "twin", url=url, file="models/fetched/twin.onnx", **RESTRICTED)
    write(tmp_path, "other", url=url, file="models/fetched/other.onnx", licence="MIT", forbids="For babies only.")

    assert refusal(store(tmp_path)) == WANTED
    assert site.asked == []

    ledger = tmp_path / "models/fetched/accepted.yaml"
    assert store(tmp_path).accept("net") == f"net: accepted, and remembered in {ledger}: MIT: For research only"
    store(tmp_path).pull("net")
    store(tmp_path).pull("twin")
    assert "For babies only" in refusal(store(tmp_path), "other")
    assert list(yaml.safe_load(ledger.read_text()).values()) == ["MIT: For research only."]

    write(tmp_path, "twin", url=url, file="models/fetched/new.onnx", licence="MIT", forbids="For research, not in May.")
    assert "not in May" in refusal(store(tmp_path), "twin")


def test_a_file_that_is_here_was_accepted_by_whoever_put_it_there(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url, sha256=SHA256, **RESTRICTED)
    path = tmp_path / "models/fetched/net.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(NET)

    assert store(tmp_path).pull("net") == f"net: here, {path}"
    assert store(tmp_path).missing(["net"]) == []


@pytest.mark.parametrize(
    ("named", "accepted"), [("net", True), ("a, n*", True), ("*", True), ("MIT", False), ("", False)]
)
def test_licences_are_accepted_where_nobody_can_be_asked(tmp_path: Path, url: str, named: str, accepted: bool) -> None:
    write(tmp_path, url=url, **RESTRICTED)

    assert terms.is_accepted("net", "MIT", "For research only.", tmp_path, {terms.VARIABLE: named}) is accepted
    if accepted:
        store(tmp_path, {terms.VARIABLE: named}).pull("net")
        assert not (tmp_path / "models/fetched/accepted.yaml").exists()


def test_what_forbids_nothing_needs_no_acceptance(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url, licence="MIT")

    assert store(tmp_path).accept("net") is None


def test_offline_it_is_told_what_to_type_where(tmp_path: Path, site: Web, url: str) -> None:
    write(tmp_path, url=url, **RESTRICTED)
    path = tmp_path / "models/fetched/net.onnx"

    assert refusal(store(tmp_path, offline=True)) == (
        f"model 'net': expected the file {path}, got none, and offline (GAZE_OFFLINE or --offline) nothing is fetched; "
        "type python run_graph.py models pull net where there is a network and bring the file here, or name a folder "
        "that has it in GAZE_MODELS_MIRROR"
    )
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb/net.onnx").write_bytes(NET)
    offline = store(tmp_path, offline=True, mirror=tmp_path / "usb")
    assert refusal(offline) == WANTED
    offline.accept("net")
    offline.pull("net")
    assert path.read_bytes() == NET
    assert site.asked == []


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


def test_what_is_remembered_is_kept_by_many_at_once(tmp_path: Path) -> None:
    many = [
        threading.Thread(target=pins.pin, args=(f"https://host/{number}", None, SHA256, tmp_path))
        for number in range(8)
    ]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join(10)
    text = (tmp_path / "models/fetched/pins.yaml").read_text()

    assert text.startswith(f"# {pins.HEAD}\n")
    assert yaml.safe_load(text) == {f"https://host/{number}": SHA256 for number in range(8)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "{path}: expected a text for each name, got something else; mend or remove the file"),
        ("a: 1\n", "{path}: expected a text for each name, got something else; mend or remove the file"),
        (
            "a: b\na: c\n",
            "{path}: expected a text for each name, got {path}:2: a: given twice, first in line 1; remove one; mend or "
            "remove the file",
        ),
    ],
)
def test_a_list_that_makes_no_sense_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        Ledger(path, "head").read()
    assert str(caught.value) == told.format(path=path)


def test_a_checksum_that_is_none_is_told(tmp_path: Path) -> None:
    pins.pin("https://host/net", None, "so long", tmp_path)

    with pytest.raises(ConfigError) as caught:
        pins.pinned("https://host/net", None, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/models/fetched/pins.yaml: expected a sha256 for https://host/net, got 'so long'; remove the line"
    )


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
