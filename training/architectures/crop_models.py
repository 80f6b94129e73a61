"""Models that look at one head or face at a time: head poses and gaze.

Contracts are upstream's. Backbones are upstream's for ResNets; `SmallNet` stands for every other one: such a file has
the right names, shapes and ranges, and neither the size nor the speed of the released one. The student of PriviGaze is
built from its description, with 90 bins of 4 degrees, which its authors leave open.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.architectures.gaze import IMAGENET_MEAN, IMAGENET_STD
from training.architectures.resnet import BLOCKS, ResNet, SmallNet
from training.architectures.rotations import angles_deg, rotations
from training.architectures.spec import Architecture, Input
from training.layers import conv_block

GAZE_BINS = 90
_NORMALISED = (-2.2, 2.7)
"""Range of pictures normalised by mean and spread of ImageNet."""


class RotationModel(nn.Module):
    """A backbone and six numbers, given out as a rotation or as angles in some order."""

    def __init__(self, backbone: nn.Module, order: tuple[int, ...] = (), raw: bool = False) -> None:
        super().__init__()
        self.backbone, self.six = backbone, nn.Linear(backbone.channels, 6)
        self.order, self.raw = list(order), raw
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(IMAGENET_STD).reshape(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        """Return rotations (N, 3, 3), or angles (N, 3) in degrees: 0 yaw, 1 pitch, 2 roll, in the model's order."""
        if self.raw:
            crops = (crops - self.mean) / self.std
        rotation = rotations(self.six(self.backbone(crops)))
        return angles_deg(rotation)[:, self.order] if self.order else rotation


class BinModel(nn.Module):
    """A backbone and, for each angle, scores of its bins."""

    def __init__(self, backbone: nn.Module, bins: tuple[int, ...]) -> None:
        super().__init__()
        self.backbone = backbone
        self.angles = nn.ModuleList(nn.Linear(backbone.channels, count) for count in bins)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Return logits (N, bins) of each angle."""
        vectors = self.backbone(crops)
        return tuple(angle(vectors) for angle in self.angles)


class AngleModel(nn.Module):
    """A backbone and three angles in degrees."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone, self.angles = backbone, nn.Linear(backbone.channels, 3)

    def forward(self, crops: Tensor) -> Tensor:
        """Return yaw, pitch, roll (N, 3)."""
        return 60 * self.angles(self.backbone(crops)).tanh()


class CrossedConv(nn.Module):
    """Convolutions along rows and along columns, side by side, and a mix of their channels."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.across = nn.Conv2d(channels_in, channels_in, (1, 3), 1, (0, 1), groups=channels_in, bias=False)
        self.down = nn.Conv2d(channels_in, channels_in, (3, 1), 1, (1, 0), groups=channels_in, bias=False)
        self.mix = conv_block(channels_in, channels_out, 1, 1) if channels_out != channels_in else nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, channels_out, h, w)."""
        mixed: Tensor = self.mix(self.across(features) + self.down(features))
        return mixed


class PriviGazeStudent(nn.Module):
    """Grey faces to scores of bins of yaw and pitch."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma, self.gain, self.offset = (nn.Parameter(torch.tensor([value])) for value in (1.0, 1.0, 0.0))
        self.stem = conv_block(1, 32, 4, 5)
        layers: list[nn.Module] = []
        for given, made in ((32, 64), (64, 96), (96, 128)):
            layers += [CrossedConv(given, given), nn.Conv2d(given, given, 3, 2, 1, groups=given, bias=False)]
            layers += [nn.BatchNorm2d(given), conv_block(given, made, 1, 1)]
        self.layers = nn.Sequential(*layers, CrossedConv(128, 160))
        self.embed = nn.Linear(160, 128)
        self.yaw, self.pitch = nn.Linear(128, GAZE_BINS), nn.Linear(128, GAZE_BINS)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, 90) of yaw and of pitch for faces (N, 1, 224, 224), brightness 0..1."""
        lit = self.gain * faces.clamp(min=1e-4).pow(self.gamma) + self.offset
        vectors = self.embed(self.layers(self.stem(lit)).mean((2, 3))).relu()
        return self.yaw(vectors), self.pitch(vectors)


def crop_architectures() -> dict[str, Architecture]:
    """Return the files of head pose and of gaze from faces by the names of their cards."""
    return {**_head_poses(), **_face_gazes()}


def _head_poses() -> dict[str, Architecture]:
    faces = Input(("N", 3, 224, 224), *_NORMALISED)
    angles: dict[str, tuple[int | str, ...]] = {"output": ("N", 3)}
    made = {}
    for name, end in (("sixdrepnet360", ""), ("sixdrepnet360-full", "_full")):
        made[name] = Architecture(
            file=f"sixdrepnet360_Nx3x224x224{end}.onnx",
            build=lambda: RotationModel(ResNet(50), (0, 1, 2)),
            inputs={"input": faces},
            outputs=angles,
        )
    made["sixdrepnet"] = Architecture(
        file="6DRepNet_300W_LP_AFLW2000.onnx",
        build=lambda: RotationModel(SmallNet()),
        inputs={"input": faces},
        outputs={"rotation": ("N", 3, 3)},
    )
    for kind in ("mask", "nomask"):
        made[f"dmhead-{kind}"] = Architecture(
            file=f"dmhead_{kind}_Nx3x224x224.onnx",
            build=lambda: RotationModel(SmallNet(), (0, 2, 1), raw=True),
            inputs={"input": Input(("N", 3, 224, 224))},
            outputs=angles,
        )
    for kind in ("1x1", "var"):
        made[f"fsanet-{kind}"] = Architecture(
            file=f"fsanet-{kind}.onnx",
            build=lambda: AngleModel(SmallNet()),
            inputs={"input": Input((1, 3, 64, 64), -1.0, 1.0)},
            outputs={"output": (1, 3)},
        )
    for kind in ("resnet18", "resnet34", "resnet50", "mobilenetv2", "mobilenetv3-small", "mobilenetv3-large"):
        made[f"head-pose-{kind}"] = Architecture(
            file=f"{kind.replace('-', '_')}.onnx",
            build=lambda kind=kind: RotationModel(_backbone(kind)),  # type: ignore[misc]
            inputs={"input": Input((1, 3, 224, 224), *_NORMALISED)},
            outputs={"rotation_matrix": (1, 3, 3)},
        )
    made["whenet"] = Architecture(
        file="WHENet.onnx",
        build=lambda: BinModel(SmallNet(), (120, 66, 66)),
        inputs={"input": faces},
        outputs={"yaw": ("N", 120), "pitch": ("N", 66), "roll": ("N", 66)},
    )
    return made


def _face_gazes() -> dict[str, Architecture]:
    bins: dict[str, tuple[int | str, ...]] = {"yaw": (1, GAZE_BINS), "pitch": (1, GAZE_BINS)}
    made = {}
    for kind in ("resnet18", "resnet34", "resnet50", "mobilenetv2", "mobileone-s0"):
        made[f"mobilegaze-{kind}"] = Architecture(
            file=f"{kind.replace('-', '_')}_gaze.onnx",
            build=lambda kind=kind: BinModel(_backbone(kind), (GAZE_BINS, GAZE_BINS)),  # type: ignore[misc]
            inputs={"input": Input((1, 3, 448, 448), *_NORMALISED)},
            outputs=bins,
        )
    for data, count in (("gaze360", GAZE_BINS), ("mpiifacegaze", 28)):
        made[f"l2cs-{data}"] = Architecture(
            file=f"l2cs_{data}.onnx",
            build=lambda count=count: BinModel(ResNet(50), (count, count)),  # type: ignore[misc]
            inputs={"input": Input(("N", 3, 448, 448), *_NORMALISED)},
            outputs={"yaw": ("N", count), "pitch": ("N", count)},
        )
    made["privigaze-student"] = Architecture(
        file="privigaze_student.onnx",
        build=PriviGazeStudent,
        inputs={"input": Input(("N", 1, 224, 224), high=1.0)},
        outputs={"yaw": ("N", GAZE_BINS), "pitch": ("N", GAZE_BINS)},
    )
    return made


def _backbone(kind: str) -> nn.Module:
    depth = int(kind.removeprefix("resnet")) if kind.startswith("resnet") else 0
    return ResNet(depth) if depth in BLOCKS else SmallNet()
