"""Images: their steps are carried out in a folder, and what a container would run works there for any user."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from tests.docker.context import let_through, rules
from tests.docker.image import Dockerfile, make, read, run
from tests.repository import ROOT

FILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
IGNORED = rules((ROOT / ".dockerignore").read_text("utf-8"))


def installs_nothing(command: Sequence[str], folder: Path, values: dict[str, str]) -> None:
    """Carry out a command; in place of an installation, take the packages of this environment, sound or not."""
    if command[-1].startswith("sh docker/steps.sh install "):
        (folder / ".venv").symlink_to(sys.prefix)
    elif not command[-1].endswith(" doctor"):
        run(command, folder, values | {"PYTHONDONTWRITEBYTECODE": "1"})  # its users may not write it


def snapshot(folder: Path, left_out: Sequence[str]) -> dict[str, float]:
    """Return when each file and folder was changed, but for some folders and what is in them."""
    return {
        path.relative_to(folder).as_posix(): path.lstat().st_mtime
        for path in folder.rglob("*")
        if path.relative_to(folder).parts[0] != ".venv"
        and not any(path.is_relative_to(folder / name) for name in left_out)
    }


def volumes(dockerfile: Dockerfile) -> list[str]:
    workdir = PurePosixPath(dockerfile.last("WORKDIR"))
    return [PurePosixPath(volume).relative_to(workdir).as_posix() for volume in dockerfile.words("VOLUME")]


def test_the_image_runs_the_demo_and_writes_to_its_volumes_only(tmp_path: Path) -> None:
    dockerfile = read(ROOT / "docker" / "cpu.Dockerfile")
    values = make(dockerfile, tmp_path, installs_nothing)
    before = snapshot(tmp_path, volumes(dockerfile))

    run([*dockerfile.words("ENTRYPOINT"), *dockerfile.words("CMD"), "--max-frames", "20"], tmp_path, values)

    results = sorted(path.name for path in (tmp_path / "out" / "retail" / "shop").iterdir())
    assert results == ["annotated.mp4", "events.jsonl", "measures.jsonl", "summary.json"]
    assert snapshot(tmp_path, volumes(dockerfile)) == before
    assert any((tmp_path / "nodes" / "__pycache__").iterdir())
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o777 for name in volumes(dockerfile))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_images_are_pinned_and_run_as_nobody_in_particular(path: Path) -> None:
    dockerfile = read(path)
    installed = [text for step, text in dockerfile.steps if step == "RUN" and " install " in text]

    assert dockerfile.last("FROM") == "python:3.12-slim-bookworm"
    assert dockerfile.last("USER") == "1000:1000"
    assert installed == [f"sh docker/steps.sh install requirements/{'run' if path.stem == 'cpu' else 'gpu'}.txt"]
    assert "--require-hashes" in (ROOT / "docker" / "steps.sh").read_text("utf-8")


def test_the_image_for_gpus_differs_in_packages_and_device_only() -> None:
    cpu, gpu = (read(ROOT / "docker" / f"{name}.Dockerfile").steps for name in ("cpu", "gpu"))

    alike = [(step, text.replace("gpu.txt", "run.txt").replace(', "--device", "cuda"', "")) for step, text in gpu]
    assert [step for step in alike if step not in cpu] == [
        ("ENV", "NVIDIA_DRIVER_CAPABILITIES=compute,video,utility"),
        ("ENV", "CUPY_CACHE_IN_MEMORY=1"),
    ]
    assert [step for step in alike if step in cpu] == list(cpu)
    assert gpu[-1] == ("CMD", '["graphs/retail.yaml", "--device", "cuda"]')


@pytest.mark.parametrize(
    ("path", "through"),
    [
        ("run_graph.py", True),
        ("requirements/gpu.txt", True),
        ("nodes/ops/boxes.py", True),
        ("configs/models/people-shop-480.yaml", True),
        ("models/people-shop-480.onnx", True),
        ("scenes/demo/shop.mp4", True),
        ("models/fetched/gazelle.onnx", False),
        ("models/prepared/gazelle.onnx", False),
        ("out/retail/shop/events.jsonl", False),
        (".git/config", False),
        (".venv/bin/python", False),
        ("keys/server.key_secret", False),
        ("nodes/__pycache__/hit_aoi.cpython-312.pyc", False),
        ("pipeline/cuda/__pycache__/driver.cpython-312.pyc", False),
        ("tests/conftest.py", False),
    ],
)
def test_nothing_gets_into_an_image_that_a_run_does_not_need(path: str, through: bool) -> None:
    assert let_through(PurePosixPath(path), IGNORED) == through


def test_the_last_line_about_a_path_or_a_folder_above_decides() -> None:
    text = "# all\n*\n!kept\nkept/**/*.tmp\n!kept/a/one.tmp\n"

    expected = {"b": False, "kept/b": True, "kept/a/b.tmp": False, "kept/b.tmp": False, "kept/a/one.tmp": True}

    assert {path: let_through(PurePosixPath(path), rules(text)) for path in expected} == expected


def test_an_instruction_that_is_not_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a:1\nADD x \\\n  y\n", "utf-8")

    with pytest.raises(ValueError, match="got ADD"):
        read(tmp_path / "Dockerfile")
