"""What an engine was built from and for: it serves nothing else, and what differs says why another one is built."""

from __future__ import annotations

import hashlib

import msgspec

DIGITS = 24
"""Hexadecimal digits of a key in names of files."""


class EngineKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides on an engine. Texts, so that a record of it can be read by people."""

    model: str
    """Checksum (sha256) of what was built, which may be part of a model's file."""
    backend: str
    precision: str
    shapes: str
    options: str
    """What else the builder was told."""
    gpu: str
    compute: str
    """Compute capability of the GPU."""
    driver: str
    cuda: str
    tensorrt: str

    @property
    def digest(self) -> str:
        """The key as a name."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:DIGITS]


class EngineRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies beside an engine, for people and for the reasons that they are told. No engine is chosen by it."""

    name: str
    """The model, as its card has it."""
    key: EngineKey
    built_s: float
    """How long that took."""
    size: int
    """Bytes of the engine; 0 where ONNX Runtime keeps it."""


_WORDS = {"model": "model file", "gpu": "GPU", "cuda": "CUDA", "compute": "compute capability", "tensorrt": "TensorRT"}


def why(name: str, wanted: EngineKey, records: list[EngineRecord]) -> str:
    """Return why there is no engine of a key, by the engines that there are.

    Args:
        name: of the model.
        wanted: the key.
        records: of all engines, the newest last.
    """
    fields = [field for field in EngineKey.__struct_fields__ if field != "model"]
    same = [one for one in records if one.key.model == wanted.model]
    if not same:
        if any(one.name == name for one in records):
            return "the model file is another one than that of the engines that there are"
        return "no engine for this model yet"
    before = min(reversed(same), key=lambda one: sum(getattr(one.key, f) != getattr(wanted, f) for f in fields)).key
    changed = [
        f"{_WORDS.get(field, field)} {getattr(before, field) or 'unknown'} -> {getattr(wanted, field) or 'unknown'}"
        for field in fields
        if getattr(before, field) != getattr(wanted, field)
    ]
    return ", ".join(changed) or "its engine was removed"
