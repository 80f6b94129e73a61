"""Files of architectures: one command, the same weights for the same name, nothing but operators of ONNX."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.architectures.__main__ import main  # noqa: E402
from training.architectures.names import architectures  # noqa: E402

STUDENT = "privigaze-student"


def test_command_writes_the_same_file_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("one", "two"):
        torch.rand(3)  # what was drawn before does not matter
        monkeypatch.setattr(sys, "argv", ["architectures", STUDENT, "--out", str(tmp_path / folder)])
        main()

    one, two = (tmp_path / folder / "privigaze_student.onnx" for folder in ("one", "two"))
    assert capsys.readouterr().out == f"{one}\n{two}\n"
    assert one.read_bytes() == two.read_bytes()


def test_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["architectures", "gazelle-atto", "--out", "x"])

    with pytest.raises(SystemExit):
        main()

    assert "invalid choice: 'gazelle-atto'" in capsys.readouterr().err


def test_no_two_architectures_have_one_file() -> None:
    files = [architecture.file for architecture in architectures().values()]

    assert len(set(files)) == len(files)


@pytest.mark.parametrize("name", ["gazelle-dinov3-atto", "deimv2-wholebody34-atto", STUDENT])
def test_files_hold_operators_of_onnx_17_and_no_folded_away_constants(
    name: str, written: Callable[[str], Path]
) -> None:
    model = onnx.load(written(name))

    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert not {node.op_type for node in model.graph.node} & {"Constant", "Identity", "BatchNormalization"}
    assert model.doc_string == "random weights"
