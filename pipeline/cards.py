"""Model cards: what a model file is, where it comes from, and what its inputs and outputs must be."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from pipeline.card_contract import Contract
from pipeline.card_fields import Crop, FaceGazeOutputs, FaceToHead, Figure, GazeOutputs, HeadPoseOutputs, Picture
from pipeline.config import Block, validated
from pipeline.errors import ConfigError
from pipeline.model_files.addresses import problem_of
from pipeline.model_files.folders import find, prepared_folder
from pipeline.model_files.pins import pinned
from pipeline.suggest import did_you_mean
from pipeline.yaml_source import read_yaml

FOLDER = Path("configs/models")
VARIANTS = ("prepared", "fp16", "int8")
"""What `models prepare` makes; `NAME:prepared` names the card of what it made of NAME."""

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
"""How addresses of archives end."""


class ModelCard(BaseModel):
    """One card: `configs/models/<name>.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    """How messages call it; default: the name of the card's file."""
    file: str
    """The .onnx file, relative to the checkout; for a card outside `configs/models`, relative to the card."""
    title: str = ""
    """What the model is and what it is good for, in one line."""
    url: str | None = None
    """Where the file, or an archive that it is in, can be had, when it does not ship."""
    member: str | None = None
    """Name of the file inside the archive, which ends in .zip, .tar.gz or .tar, with or without its folders."""
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Checksum of the file; None: the one that was fetched first is kept to."""
    archive_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Checksum of the archive."""
    bytes: int | None = Field(None, gt=0)
    """Size of the file, where known."""
    page: str = ""
    """Where its makers tell about it."""
    licence: str = ""
    """Licence of the weights, as an SPDX name or in words."""
    forbids: str = ""
    """What the licence, or that of the data, keeps from some users, in a sentence; must be accepted before the file is
    fetched."""
    convert: str = ""
    """How to make the ONNX file, where its makers publish none."""
    prepared_from: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Checksum of the file that this one was made of by `models prepare`."""
    family: str
    """Which post-processing fits: nodes name the families they know."""
    input_size_wh: tuple[int, int] | None = None
    """Width and height that pictures are resized to, pixels."""
    box_cell_px: int | None = Field(None, ge=0)
    """Side of the cells to which the model rounds boxes it is given, pixels of its input; 0: it takes them as they are;
    None: as usual in the family."""
    classes: dict[int, str] = Field(default_factory=dict)
    """Class names by label."""
    picture: Picture = Picture()
    """How the input is made, for detectors."""
    crop: Crop = Crop()
    """How the input is cut from pictures, for models that look at one thing at a time."""
    face_to_head: FaceToHead | None = None
    """For detectors of faces."""
    gaze: GazeOutputs = GazeOutputs()
    """What the map means, for gaze models."""
    face_gaze: FaceGazeOutputs | None = None
    """What the outputs mean, for models of gaze from faces or eyes."""
    head_pose: HeadPoseOutputs | None = None
    """What the outputs mean, for models of head poses."""
    contract: Contract
    trained_on: str = ""
    """The data, in words."""
    published: tuple[Figure, ...] = ()
    """What its makers measured; not checked by us."""
    shipped: bool = False
    """True when the file is part of this repository."""

    _pinned: bool = PrivateAttr(default=False)

    @property
    def pinned(self) -> bool:
        """Whether `sha256` is that of the file that was fetched first, not one that its makers told."""
        return self._pinned

    @field_validator("url")
    @classmethod
    def _can_be_fetched(cls, url: str | None) -> str | None:
        if url and (problem := problem_of(url)):
            raise ValueError(problem)
        return url

    @model_validator(mode="after")
    def _archives_name_their_member(self) -> Self:
        archive = bool(self.url) and urlsplit(self.url or "").path.lower().endswith(ARCHIVES)
        if archive and not self.member:
            raise ValueError(f"member: expected the name of the file inside {self.url!r}, got none; add it")
        if self.member and not archive:
            raise ValueError(
                f"member: expected a url of an archive ({', '.join(ARCHIVES)}), got {self.url!r}; correct it"
            )
        if self.archive_sha256 and not self.member:
            raise ValueError("archive_sha256: expected a url of an archive, got one of a file; write it as sha256")
        return self

    @model_validator(mode="after")
    def _outputs_are_as_read(self) -> Self:
        shapes = {name: spec.shape for name, spec in self.contract.outputs.items()}
        for block, outputs in (("head_pose", self.head_pose), ("face_gaze", self.face_gaze)):
            for wanted, name in outputs.unfit(shapes) if outputs else ():
                got = f"{name!r} among {shapes}; correct the name or the contract"
                raise ValueError(f"{block}: expected an output {wanted}, got {got}")
        return self


def load_card(card: str, root: Path) -> tuple[ModelCard, Path]:
    """Find and read a card: a name in `configs/models`, a path to a card, or a path to an .onnx file that has one.

    Args:
        card: as it stands in a node's configuration; `:prepared`, `:fp16` or `:int8` behind it for what
            `models prepare` made of that model.
        root: the checkout.

    Returns:
        The card, with the checksum that its file is held to since it was fetched where the card has none; and the path
        of its model file, which need not exist: as the card says, or in one of the folders that are set for all.

    Raises:
        ConfigError: there is no such card, or it is wrong; names file and key, and suggests.
    """
    name, _, variant = card.rpartition(":")
    if variant in VARIANTS:
        return _prepared(name, variant, root)
    if card.endswith(".onnx"):
        return _card_of_file(card, root)
    path = _under(root, card) if card.endswith((".yaml", ".yml")) else root / FOLDER / f"{card}.yaml"
    if not path.is_file():
        known = did_you_mean(card, names_of_all(root), str(FOLDER), most=6)
        raise ConfigError(f"model {card!r}: expected a card at {path}, got no such file{known}")
    found, wanted = _read(path, root)
    return _held_to_pin(found, root), wanted if found.shipped else find(wanted)


def card_problems(card: str, root: Path, families: Collection[str] = ()) -> list[str]:
    """Return what keeps the model of a card from being used, as far as it shows without opening it.

    That its file is not here is no problem where it can be fetched, which is done before a run.

    Args:
        card: as for `load_card`.
        root: the checkout.
        families: those that the node can use; none for any.
    """
    try:
        found, path = load_card(card, root)
    except ConfigError as error:
        return str(error).splitlines()
    if families and found.family not in families:
        return [
            f"model {card!r}: expected a card of the family {' or '.join(map(repr, families))}, got one of "
            f"{found.family!r}; choose another: python run_graph.py models list --family {next(iter(families))}"
        ]
    return [] if path.is_file() or found.url else [no_file(found, path)]


def no_file(card: ModelCard, path: Path) -> str:
    """Say that the file of a card is not there and how to get it."""
    if card.prepared_from:
        cure = f"it is gone: {_how_to_prepare(*card.name.rpartition(':')[::2])}"
    elif card.url:
        cure = f"it is not fetched yet: type python run_graph.py models pull {card.name}"
    elif card.shipped:
        cure = "it ships with this repository: restore it with git checkout"
    elif card.convert:
        cure = f"its makers publish no such file, make it and put it there: {card.convert.rstrip('.')}"
    else:
        cure = f"put the file there or correct `file` in the card {card.name!r}"
    return f"model {card.name!r}: expected the file {path}, got none; {cure}"


def _prepared(name: str, variant: str, root: Path) -> tuple[ModelCard, Path]:
    released, _ = load_card(name, root)
    path = prepared_folder(root) / f"{released.name}.{variant}.yaml"
    cure = _how_to_prepare(name, variant)
    wanted = f"model {f'{name}:{variant}'!r}: expected"
    if not path.is_file():
        raise ConfigError(f"{wanted} a file that was prepared, got no card {path}; {cure}")
    found, file = _read(path, root)
    if released.sha256 not in (None, found.prepared_from):
        raise ConfigError(
            f"{wanted} one made of the file {released.sha256} of the card {released.name!r}, got one made of "
            f"{found.prepared_from}; {cure}"
        )
    return found, file


def _how_to_prepare(name: str, variant: str) -> str:
    return f"type: python run_graph.py models prepare {name}" + (f" --as {variant}" if variant != VARIANTS[0] else "")


def _card_of_file(file: str, root: Path) -> tuple[ModelCard, Path]:
    wanted = _under(root, file)
    beside = wanted.with_suffix(".yaml")
    for path in (beside, *(root / FOLDER / f"{name}.yaml" for name in names_of_all(root))):
        if path.is_file():
            card, model = _read(path, root)
            if model.resolve() == wanted.resolve():
                return _held_to_pin(card, root), wanted
    raise ConfigError(
        f"model {file!r}: expected a card that names this file, got none; copy the card of the same family from "
        f"{FOLDER} to {beside} and write there `file: {wanted.name}`, its input_size_wh, and no sha256"
    )


def _read(path: Path, root: Path) -> tuple[ModelCard, Path]:
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        raise ConfigError(f"{path}: expected the keys of a model card, got {document.data!r}")
    problems = list(document.problems)
    card = validated(ModelCard, Block(path.stem, {"name": path.stem, **document.data}, document.places), problems)
    if card is None or problems:
        raise ConfigError("\n".join(problems))
    ours = path.parent.resolve() == (root / FOLDER).resolve()
    return card, _under(root if ours else path.parent, card.file)


def _held_to_pin(card: ModelCard, root: Path) -> ModelCard:
    if card.sha256 or not card.url:
        return card
    held = card.model_copy(update={"sha256": pinned(card.url, card.member, root)})
    held._pinned = held.sha256 is not None
    return held


def _under(folder: Path, file: str) -> Path:
    return folder / Path(file).expanduser()


def names_of_all(root: Path) -> list[str]:
    """Return the names of all cards in `configs/models`."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))
