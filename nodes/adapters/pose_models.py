"""Pose models of both kinds behind one form: heads of frames in, rotations out.

Those of the family `head_pose` look at crops of heads. Those of the family `gazelle` look at whole pictures for a map
of what is looked at; where their card has `head_pose`, they tell where heads point besides, and then nothing but what
leads to that is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodes.adapters.crop_models import CropModel, open_crop_model
from nodes.adapters.gaze_calls import GazeCalls
from nodes.adapters.gaze_files import FAMILY as GAZE
from nodes.adapters.gaze_files import GazeFile
from nodes.adapters.pose_outputs import rotations_told
from pipeline.card_fields import Crop, HeadPoseOutputs
from pipeline.cards import ModelCard, card_problems, load_card
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Context

Array = np.ndarray[Any, np.dtype[Any]]

HEAD_POSE = "head_pose"


def pose_problems(card: str, root: Path) -> list[str]:
    """Return what keeps the model of a card from telling poses, as far as it shows without opening it."""
    problems = card_problems(card, root, (HEAD_POSE, GAZE))
    if problems:
        return problems
    found, _ = load_card(card, root)
    return [_tells_none(card)] if found.family == GAZE and found.head_pose is None else []


def open_pose_models(context: Context, cards: Sequence[str], where: str) -> PoseModels:
    """Open pose models.

    Args:
        context: of the node that asks them.
        cards: of models of the family `head_pose`, or `gazelle` with `head_pose`.
        where: the setting that names them, for messages.

    Raises:
        ConfigError: there is no such card, or it is wrong.
        ModelError: it tells no poses, or the file does not keep its contract.
    """
    return PoseModels(context.device, [_opened(context, card, where) for card in cards])


class PoseModels:
    """Opened pose models, all of which are asked about the same heads."""

    def __init__(self, device: Device, models: Sequence[CropModel | _GazePoses]) -> None:
        self._device, self._models = device, models
        self.valid_yaw_deg = min((_outputs(model.card).valid_yaw_deg for model in models), default=180.0)
        """How far from the camera heads may be turned for all of them to be believed."""

    def __len__(self) -> int:
        return len(self._models)

    def rotations(self, frames: FrameBatch, frame_row: Array, boxes: Array) -> Array:
        """Return what each model says of K > 0 heads: rotations (models, K, 3, 3), NaN where it is no rotation.

        Args:
            frames: with pictures.
            frame_row: (K,) int64, rising: the frame of each head.
            boxes: (K, 4) float32 whole heads, fractions of the frame, not NaN.

        Raises:
            ModelError: a model fails, or does not tell a pose of each head.
        """
        cut_out: dict[tuple[tuple[int, int], Crop], Any] = {}
        seen = []
        for model in self._models:
            if isinstance(model, _GazePoses):
                answer = model.answers(frames, frame_row, boxes)
            else:
                recipe = model.size_wh, model.crop
                if recipe not in cut_out:
                    cut_out[recipe] = model.cut_out(self._device, frames, frame_row, boxes)
                answer = model.answers(self._device, cut_out[recipe], frame_row)
            seen.append(rotations_told(answer, _outputs(model.card)))
        return np.stack(seen)

    def close(self) -> None:
        """Let go of the models."""
        for model in self._models:
            model.close()


class _GazePoses:
    """A gaze model that is asked for nothing but where heads point."""

    def __init__(self, context: Context, card: str, where: str, output: str) -> None:
        session = context.open_session(card, outputs=(output,))
        self.card, self._output = session.card, output
        file = GazeFile.of(session, card, where, output, ("columns",))
        self._calls = GazeCalls(session, context.device, file)

    def answers(self, frames: FrameBatch, frame_row: Array, boxes: Array) -> dict[str, Array]:
        """Return the output about K > 0 heads, (K, columns) on the host."""
        calls = self._calls.answers(frames, frame_row, boxes)
        told = [self._calls.told(answer, self._output, heads, ", columns") for heads, answer in calls]
        return {self._output: np.concatenate(told)}

    def close(self) -> None:
        """Let go of the model."""
        self._calls.close()


def _opened(context: Context, card: str, where: str) -> CropModel | _GazePoses:
    found = context.card(card)
    if found.family != GAZE:
        return open_crop_model(context, card, where, HEAD_POSE, HEAD_POSE)
    if found.head_pose is None:
        raise ModelError(_tells_none(card))
    if found.head_pose.vector is None:
        raise ModelError(
            f"{where}: expected a gaze model whose card has head_pose.vector, got {card!r} with "
            f"{found.head_pose.model_dump(exclude_defaults=True)}; correct the card"
        )
    return _GazePoses(context, card, where, found.head_pose.vector)


def _outputs(card: ModelCard) -> HeadPoseOutputs:
    """Return what the outputs of a pose model mean, which opening has seen to be there."""
    assert card.head_pose is not None
    return card.head_pose


def _tells_none(card: str) -> str:
    return (
        f"model {card!r}: expected a model of head poses, or a gaze model whose card has head_pose, got a gaze model "
        f"without; choose another: python run_graph.py models list --family {HEAD_POSE}"
    )
