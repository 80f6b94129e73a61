from pathlib import Path

import pytest

from cli import program


def test_keys_are_made_and_what_to_type_next_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert program.main(["keys", "my keys"]) == 0

    assert capsys.readouterr().out == (
        "keys made in my keys\n"
        "  server.key_secret  of the publisher: stays secret and on its machine\n"
        "  server.key         tells subscribers that it is the publisher they talk to\n"
        "  client.key_secret  of subscribers: stays secret, with who may read the events\n"
        "  clients/           public keys of those who are let in: remove one to shut somebody out\n"
        "\n"
        "type on the machine of the cameras\n"
        "  python run_graph.py graphs/retail.yaml --set bus.keys='my keys' --set bus.endpoint='tcp://*:5570'\n"
        "and where events are read, with server.key and client.key_secret copied there\n"
        "  python run_graph.py listen tcp://HOST:5570 --keys 'my keys'\n"
        "keys of its own for somebody: make them in another folder, and copy its client.key to "
        "'my keys/clients'/NAME.key\n"
    )
    assert sorted(str(path.relative_to(tmp_path / "my keys")) for path in (tmp_path / "my keys").rglob("*")) == [
        "client.key",
        "client.key_secret",
        "clients",
        "clients/client.key",
        "server.key",
        "server.key_secret",
    ]


def test_keys_are_never_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program.main(["keys", str(tmp_path)])
    before = (tmp_path / "server.key_secret").read_bytes()

    assert program.main(["keys", str(tmp_path)]) == 2

    assert capsys.readouterr().err == (
        f"{tmp_path}/server.key_secret: expected no keys yet, got some, which are not overwritten because they may be "
        "in use; give another folder, or remove these keys first\n"
    )
    assert (tmp_path / "server.key_secret").read_bytes() == before


def test_a_file_in_place_of_the_folder_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("", encoding="utf-8")

    assert program.main(["keys", str(tmp_path / "keys")]) == 2

    assert capsys.readouterr().err == (
        f"output folder '{tmp_path}/keys/clients': expected a folder, got the file '{tmp_path}/keys' in its path; "
        "remove the file or give another folder with --out\n"
    )
