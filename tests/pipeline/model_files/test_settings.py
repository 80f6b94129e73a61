"""What the environment says: where files lie, whether there is a network, what is asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.model_files.addresses import file_name, is_loopback, may_follow, problem_of
from pipeline.model_files.folders import fetched_folder, find, is_read_only, place_of, prepared_folder
from pipeline.model_files.settings import Settings


@pytest.mark.parametrize(
    ("set_to", "offline"),
    [("1", True), ("yes", True), ("True", True), ("", False), ("0", False), ("false", False), (" No ", False)],
)
def test_offline_is_a_switch(set_to: str, offline: bool) -> None:
    assert Settings.of({"GAZE_OFFLINE": set_to}).offline is offline
    assert Settings.of({"GAZE_OFFLINE": set_to}, offline=True).offline


def test_a_mirror_is_a_server_or_a_folder(tmp_path: Path) -> None:
    assert Settings.of({}).mirror is None
    assert Settings.of({"GAZE_MODELS_MIRROR": str(tmp_path)}).mirror == tmp_path
    secure = Settings.of({"GAZE_MODELS_MIRROR": "https://models.example/all"})
    assert (secure.mirror, secure.plain_http) == ("https://models.example/all", False)
    assert Settings.of({"GAZE_MODELS_MIRROR": "http://models.lan"}).plain_http


@pytest.mark.parametrize(
    ("mirror", "told"),
    [
        (
            "file:///srv/models",
            "expected an address such as https://host/model.onnx, got 'file:///srv/models'; correct it; a folder is "
            "named by its path",
        ),
        (
            "ftp://host/models",
            "expected an https address, got 'ftp://host/models'; give one that others cannot change on its way; a "
            "folder is named by its path",
        ),
        ("/no/such", "expected https://host/path or a folder, got '/no/such'; correct or unset it"),
    ],
)
def test_what_is_no_mirror_is_refused(mirror: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.of({"GAZE_MODELS_MIRROR": mirror})
    assert str(caught.value) == f"GAZE_MODELS_MIRROR: {told}"


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://host/a.onnx", True),
        ("HTTPS://host:8443/a.onnx", True),
        ("http://127.0.0.1:80/a.onnx", True),
        ("http://127.8.9.1/a.onnx", True),
        ("http://[::1]:80/a.onnx", True),
        ("http://localhost/a.onnx", True),
        ("http://host/a.onnx", False),
        ("http://127.0.0.1.example/a.onnx", False),
        ("file:///a.onnx", False),
        ("ftp://host/a.onnx", False),
        ("https:///a.onnx", False),
        ("https://host:port/a.onnx", False),
        ("https://host/a\r\nHost: other", False),
        ("https://[host/a.onnx", False),
        ("a.onnx", False),
    ],
)
def test_files_come_from_secure_addresses_or_from_this_machine(url: str, good: bool) -> None:
    assert (problem_of(url) is None) is good


def test_a_password_in_an_address_is_not_told() -> None:
    assert problem_of("http://me:secret@host/a") == (
        "expected an https address, got 'http://me:***@host/a'; give one that others cannot change on its way"
    )
    assert problem_of("http://host/a", plain_http=True) is None


@pytest.mark.parametrize(
    ("first", "onward", "plain", "may"),
    [
        ("https://a/x", "https://b/x", False, True),
        ("http://127.0.0.1/x", "https://b/x", False, True),
        ("https://a/x", "http://b/x", True, False),
        ("https://a/x", "http://127.0.0.1/x", True, False),
        ("http://127.0.0.1/x", "http://127.0.0.1/y", False, True),
        ("http://127.0.0.1/x", "http://b/y", False, False),
        ("http://mirror/x", "http://b/y", True, True),
        ("http://mirror/x", "file:///y", True, False),
        ("https://a/x", "https://me@b/x", False, False),
    ],
)
def test_what_began_securely_stays_so(first: str, onward: str, plain: bool, may: bool) -> None:
    assert may_follow(first, onward, plain) is may


def test_names_of_files_are_read_off_addresses() -> None:
    assert file_name("https://host/a/b%20c.tar.gz?token=1#x") == "b c.tar.gz"
    assert not is_loopback("0.0.0.0")


def test_files_are_looked_for_where_the_card_says_then_in_the_folders_set(tmp_path: Path) -> None:
    wanted, own, kept = tmp_path / "models/fetched/net.onnx", tmp_path / "own", tmp_path / "kept"
    environ = {"GAZE_MODELS": str(own), "GAZE_REAL_MODELS": str(kept)}

    assert find(wanted, {}) == wanted
    assert find(wanted, environ) == own / "net.onnx" == place_of(wanted, environ)
    for path in (kept / "net.onnx", own / "net.onnx", wanted):
        path.parent.mkdir(parents=True)
        path.touch()
        assert find(wanted, environ) == path
    assert [is_read_only(path, environ) for path in (kept / "net.onnx", own / "net.onnx")] == [True, False]
    assert not is_read_only(wanted, {})


def test_fetched_and_prepared_files_have_their_folders(tmp_path: Path) -> None:
    root = tmp_path

    assert (fetched_folder(root, {}), prepared_folder(root, {})) == (root / "models/fetched", root / "models/prepared")
    own = {"GAZE_MODELS": str(root / "own")}
    assert (fetched_folder(root, own), prepared_folder(root, own)) == (root / "own", root / "own/prepared")
    assert fetched_folder(root, {"GAZE_MODELS": ""}) == root / "models/fetched"
