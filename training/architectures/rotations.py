"""From six numbers to a rotation, from a rotation to angles, inside the graph of a model.

Source: Hempel et al., "6D Rotation Representation for Unconstrained Head Pose Estimation", ICIP 2022.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def rotations(six: Tensor) -> Tensor:
    """Return rotations (N, 3, 3) of (N, 6): columns x, y, z with x along the first three, z across both."""
    x = F.normalize(six[:, :3], dim=1, eps=1e-8)
    z = F.normalize(torch.linalg.cross(x, six[:, 3:], dim=1), dim=1, eps=1e-8)
    return torch.stack([x, torch.linalg.cross(z, x, dim=1), z], 2)


def angles_deg(rotation: Tensor) -> Tensor:
    """Return yaw, pitch and roll (N, 3), degrees, of rotations Rz(roll) Ry(yaw) Rx(pitch) (N, 3, 3)."""
    level = (rotation[:, 0, 0].square() + rotation[:, 1, 0].square()).sqrt()
    pitch = torch.atan2(rotation[:, 2, 1], rotation[:, 2, 2])
    yaw = torch.atan2(-rotation[:, 2, 0], level)
    roll = torch.atan2(rotation[:, 1, 0], rotation[:, 0, 0])
    singular = level < 1e-6
    pitch = torch.where(singular, torch.atan2(-rotation[:, 1, 2], rotation[:, 1, 1]), pitch)
    roll = torch.where(singular, torch.zeros_like(roll), roll)
    return torch.stack([yaw, pitch, roll], 1) * (180 / math.pi)
