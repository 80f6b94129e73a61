"""Four groups of real clips, none of which shows people or places of another, and which model each is measured with.

A detector that was adapted to footage may only be measured on clips that it did not see: `--model-for` names for each
group a model of which no frame of the group was part. The two clips of the office with the wooden floor are in one
group, and so are the two of the man in the blue shirt.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks import real_labels as labels
from benchmarks.results import ROOT
from pipeline.cards import FOLDER, load_card
from pipeline.errors import ConfigError
from pipeline.yaml_source import read_yaml

GROUPS = {
    "A": (labels.RETAIL,),
    "B": (labels.ONE_BY_ONE, "intel_sample_videos/face-demographics-walking.preview.mp4"),
    "C": (
        "intel_sample_videos/classroom.preview.mp4",
        "intel_sample_videos/store-aisle-detection.preview.mp4",
    ),
    "D": (
        labels.CPC,
        "intel_sample_videos/head-pose-face-detection-female-and-male.preview.mp4",
        "intel_sample_videos/head-pose-face-detection-male.preview.mp4",
        "luxonis_people/people.mp4",
    ),
}
SHIPPED = "people-shop-480"


def group_of(clip: str) -> str:
    """Return the group of a clip.

    Raises:
        ConfigError: it is in none, so that nobody knows which models saw its people.
    """
    for name, clips in GROUPS.items():
        if clip in clips:
            return name
    raise ConfigError(
        f"GAZE_REAL_DATA: expected clips of the groups in benchmarks/real_groups.py, got {clip!r}; add it to a group "
        "without its people and places in another, or remove it"
    )


def models_by_group(model: str | None, chosen: Sequence[str], folder: Path) -> dict[str, str]:
    """Return which model each group is measured with, as `people.model` takes it.

    Args:
        model: card or .onnx file for all groups that `chosen` does not name; None: the shipped one.
        chosen: `GROUP=MODEL`, all groups where no model is given for the rest.
        folder: where cards may be written, for files that have none.

    Raises:
        ConfigError: a group that is not there, is named twice or is missing, or a model that cannot be used.
    """
    named: dict[str, str] = {}
    for text in chosen:
        group, equals, value = text.partition("=")
        if not equals or not value or group not in GROUPS or group in named:
            raise ConfigError(
                f"--model-for: expected GROUP=MODEL with each of {', '.join(GROUPS)} once, got {text!r}; correct it"
            )
        named[group] = value
    missing = [group for group in GROUPS if group not in named]
    if named and missing and model is None:
        raise ConfigError(
            f"--model-for: expected a model for each of {', '.join(GROUPS)}, got none for {', '.join(missing)}; add "
            "it, or name the one for the rest with --model"
        )
    return {group: usable(named.get(group, model or SHIPPED), folder) for group in GROUPS}


def usable(model: str, folder: Path) -> str:
    """Return a model as `people.model` takes it; an .onnx file without a card is taken for one of the shipped form.

    Raises:
        ConfigError: there is no such card or file.
    """
    path = Path(model).expanduser()
    if path.suffix != ".onnx":
        load_card(model, ROOT)
        return model
    if not path.is_file():
        raise ConfigError(f"--model: expected a card or an .onnx file, got {model!r}, which is not there; correct it")
    path = path.resolve()
    try:
        load_card(str(path), ROOT)
    except ConfigError:
        card = dict(read_yaml(ROOT / FOLDER / f"{SHIPPED}.yaml").data) | {"file": str(path)}
        written = folder / f"{path.stem}-{len(list(folder.glob('*.yaml')))}.yaml"
        own = {key: value for key, value in card.items() if key not in ("sha256", "bytes", "shipped")}
        written.write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
        return str(written)
    return str(path)
