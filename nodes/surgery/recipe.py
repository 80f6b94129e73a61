"""Prepare a model: rewrite it, change its precision if asked, try it, and put file, card and report in their place."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import onnx
from onnx import ModelProto

from nodes.surgery.detector_job import DetectorJob
from nodes.surgery.detector_trial import Decode
from nodes.surgery.eight_bit import to_eight_bit
from nodes.surgery.gaze_job import GazeJob
from nodes.surgery.half_search import half_with_islands
from nodes.surgery.job import CALIBRATION_FRAMES, TRIAL_FRAMES, Job, Rewritten, Source
from nodes.surgery.opening import read_model
from nodes.surgery.probing import open_engine, run
from nodes.surgery.ranges import too_large_for_half
from nodes.surgery.trials import Trial, made_up, of_clips
from pipeline.errors import ConfigError, ModelError

Variant = Literal["prepared", "fp16", "int8"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
GAZE = "gazelle"
RECIPE = 2
"""Rises when files that are made from the same original change."""

_ON_CPU = (
    "differences are those of a machine that rounds each result to half precision and sums in single; on a CPU it is "
    "computed in single precision, with casts, and is not faster: it is meant for GPUs"
)


@dataclass(frozen=True)
class Prepared:
    """A prepared model.

    Attributes:
        content: the file.
        card: what its card says otherwise than that of the released file.
        report: what was done, and how far the answers are from those of the released file.
    """

    content: bytes
    card: dict[str, Any]
    report: dict[str, Any]


def key(released: str, variant: Variant, clips: Collection[Path]) -> str:
    """Return the name of a prepared file, 16 hexadecimal digits: another one for all that makes another file.

    Args:
        released: sha256 of the released file.
        variant: which one.
        clips: footage that changes of precision are fitted to.
    """
    said = hashlib.sha256(f"{released} {variant} recipe {RECIPE}".encode())
    if variant != "prepared":
        for clip in clips:
            with clip.open("rb") as file:
                said.update(hashlib.file_digest(file, "sha256").digest())
    return said.hexdigest()[:16]


def prepare(source: Source, variant: Variant, decode: Decode | None) -> Prepared:
    """Prepare a model.

    Args:
        source: what is prepared.
        variant: `prepared` in the precision it has; `fp16` in half precision; `int8` with sums in 8 bits.
        decode: reads the outputs of a detector; None for a gaze model.

    Raises:
        ConfigError: models of this family are not prepared.
        ModelError: the file is not what its card says, has an unknown structure, or does not answer as before.
    """
    card = source.card
    if card.family != GAZE and decode is None:
        raise ConfigError(
            f"model {card.name!r}: expected a gaze model or a detector of whole pictures, got the family "
            f"{card.family!r}; models that look at one crop at a time are used as they are"
        )
    released, sha256 = read_model(source.path)
    if card.sha256 not in (None, sha256):
        raise ModelError(
            f"model {source.path}: expected the sha256 {card.sha256} of the card {card.name!r}, got {sha256}; get the "
            f"file again: models pull {card.name}"
        )
    job = _job(source, released, decode)
    trials = {
        "made-up": made_up(source.size_wh, TRIAL_FRAMES),
        "real": of_clips(source.clips, source.size_wh, card.picture, TRIAL_FRAMES, source.root),
    }
    rewritten = rewrite(job)
    report = {
        "model": card.name,
        "variant": variant,
        "released_sha256": sha256,
        "recipe": RECIPE,
        "steps": rewritten.steps,
        "from_released": job.check(rewritten, trials),
        "ms_on_one_thread": job.speed(rewritten, trials["real"]),
    }
    model = rewritten.model
    if variant == "fp16":
        model = _half(job, rewritten, trials, report)
    elif variant == "int8":
        model = _eight_bit(job, rewritten, trials, report)
    if variant != "prepared":
        _check_valid(model)
        ms = job.speed(Rewritten(model), trials["real"])
        report["ms_on_one_thread_" + variant] = {name: ms[name] for name in ms if name.startswith("prepared")}
    for trial in trials.values():
        run(open_engine(model), None, job.inputs(trial))
    content = model.SerializeToString(deterministic=True)
    return Prepared(content, {**job.card_fields(rewritten.model), "prepared_from": sha256}, report)


def rewrite(job: Job) -> Rewritten:
    """Return the rewritten model of a job, which is valid.

    Raises:
        ModelError: the file has a structure that is not known, or makes no sense.
    """
    try:
        rewritten = job.rewrite()
    except ModelError as error:
        raise ModelError(f"model {job.source.path}: {error}") from error
    except Exception as error:  # a file may be valid and yet make no sense in more ways than can be foreseen
        raise ModelError(
            f"model {job.source.path}: expected a structure that is known, got one that ends in "
            f"{type(error).__name__}: {' '.join(str(error).split())[:300]}; the file stays as it is"
        ) from error
    _check_valid(rewritten.model)
    return rewritten


def _job(source: Source, released: ModelProto, decode: Decode | None) -> Job:
    return GazeJob(source, released) if decode is None else DetectorJob(source, released, decode)


def _half(job: Job, rewritten: Rewritten, trials: dict[str, Trial], report: dict[str, Any]) -> ModelProto:
    given = [job.inputs(trial.of(row)) for trial in trials.values() for row in range(len(trial.pictures))]
    always = {**job.delicate(rewritten.model), "values above 16376": too_large_for_half(rewritten.model, given)}

    def badness(model: ModelProto, tried: dict[str, Trial]) -> float:
        try:
            figures = job.apart(rewritten.model, model, tried)
        except ModelError:
            return float("inf")  # a runtime has no such operator in half precision
        return max(job.badness(found) for found in figures.values())

    few = {name: trial.of(0) for name, trial in trials.items()}
    half = half_with_islands(rewritten.model, always, lambda model: badness(model, few))
    if badness(half.rounded, trials) > 1:  # a picture of each was too few to tell
        half = half_with_islands(rewritten.model, always, lambda model: badness(model, trials))
    report["half_precision"] = {
        "single_precision_islands": half.islands,
        "from_single_precision": job.apart(rewritten.model, half.rounded, trials),
        "note": _ON_CPU,
    }
    return half.model


def _eight_bit(job: Job, rewritten: Rewritten, trials: dict[str, Trial], report: dict[str, Any]) -> ModelProto:
    source = job.source
    frames = of_clips(source.clips, source.size_wh, source.card.picture, CALIBRATION_FRAMES, source.root)
    given = [job.inputs(frames.of(row)) for row in range(len(frames.pictures))]
    single = set(job.coarse(rewritten.model)).union(*job.delicate(rewritten.model).values())
    model = to_eight_bit(rewritten.model, given, single)
    held_out = {**trials, "calibration": frames}
    report["eight_bits"] = {
        "calibrated_on": {"frames": len(given), "clips": [clip.name for clip in source.clips]},
        "from_single_precision": job.apart(rewritten.model, model, held_out),
    }
    return model


def _check_valid(model: ModelProto) -> None:
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # the checker raises its own kinds, and others
        line = " ".join(str(error).split())[:300]
        raise ModelError(f"the rewritten model: expected a valid one, got: {line}; the file stays as it is") from error
