"""The files that are measured: released ones where they are here, else architectures with random weights."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import ROOT
from pipeline.cards import ModelCard, load_card
from pipeline.errors import ConfigError, PipelineError
from pipeline.outputs import make_folder, write_atomically
from pipeline.yaml_source import read_yaml


@dataclass(frozen=True)
class ModelFile:
    """A file to measure.

    Attributes:
        card_path: a card that names it, for nodes.
        card: that card.
        path: the file.
        released: it is the released one; otherwise its weights are random.
    """

    card_path: Path
    card: ModelCard
    path: Path
    released: bool


def files_of(names: Sequence[str], folder: Path) -> dict[str, ModelFile]:
    """Return the files of cards by name; architectures that are missing in the folder are written there.

    Raises:
        ConfigError: a card is wrong, or torch is missing for one of them.
        PipelineError: an architecture cannot be written.
    """
    here, wanted = {}, []
    for name in names:
        card, path = load_card(name, ROOT)
        if path.is_file():
            here[name] = ModelFile(ROOT / "configs" / "models" / f"{name}.yaml", card, path, released=True)
        elif not (folder / Path(card.file).name).is_file():
            wanted.append(name)
    if wanted:
        _write(wanted, folder)
    return {name: here[name] if name in here else _random(name, folder) for name in names}


def prepared(file: ModelFile) -> ModelFile:
    """Return what preparing a gaze file makes of it, without the trials that `models prepare` holds it to."""
    from nodes.surgery.gaze_job import GazeJob
    from nodes.surgery.job import Source
    from nodes.surgery.opening import read_model

    released, _ = read_model(file.path)
    job = GazeJob(Source(file.card, file.path, (), ROOT), released)
    model = job.rewrite().model
    made = file.path.with_suffix(".prepared.onnx")
    make_folder(made.parent).joinpath(made.name).write_bytes(model.SerializeToString())
    said: dict[str, Any] = read_yaml(file.card_path).data
    said |= job.card_fields(model)
    return _with_card({key: value for key, value in said.items() if value is not None}, made, file.released)


def _random(name: str, folder: Path) -> ModelFile:
    card: dict[str, Any] = read_yaml(ROOT / "configs" / "models" / f"{name}.yaml").data
    return _with_card(card, folder / Path(card["file"]).name, released=False)


def _with_card(card: dict[str, Any], path: Path, released: bool) -> ModelFile:
    """Write the card of a file that no checksum is known of, beside it."""
    import yaml

    told = {key: value for key, value in card.items() if key not in ("url", "member", "sha256", "archive_sha256")}
    card_path = path.with_suffix(".yaml")
    write_atomically(card_path, yaml.safe_dump(told | {"file": path.name}))
    return ModelFile(card_path, load_card(str(card_path), ROOT)[0], path, released)


def _write(names: Sequence[str], folder: Path) -> None:
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(f"models: expected torch, to build {', '.join(names)}, got none; type make bench-models")
    print(f"building {', '.join(names)}", file=sys.stderr)
    command = [sys.executable, "-m", "training.architectures", *names, "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(
            f"{' '.join(command)}: expected files, got exit code {done.returncode}: {done.stderr[-2000:]}"
        )
