"""What stands around the networks of gaze files: colours and ranges in front, the resize that drops cells behind."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.architectures.gaze import GAZE_SIZES, GazeModel, GazeSize  # noqa: E402
from training.architectures.hgnet import HGNet  # noqa: E402


class Eye(torch.nn.Module):
    """A backbone that only looks."""

    channels, patch = 256, 16

    def __init__(self, normalised: bool) -> None:
        super().__init__()
        self.normalised = normalised

    def forward(self, pictures: "torch.Tensor") -> "torch.Tensor":
        self.seen = pictures
        return torch.zeros(1, 256, 20, 20)


class Numbered(torch.nn.Module):
    """A decoder whose maps hold the number of each cell."""

    grid = 20

    def forward(self, _: object, boxes: "torch.Tensor") -> "tuple[torch.Tensor]":
        return (torch.arange(1600.0).reshape(1, 40, 40).repeat(len(boxes), 1, 1),)


def model(normalised: bool = False, out: int = 32) -> GazeModel:
    made = GazeModel(GazeSize("x", lambda: Eye(normalised), 320, out, inout="none"))
    made.decoder = Numbered()
    return made


@pytest.mark.parametrize(
    ("normalised", "wanted"),
    [
        (False, [1.0, 0.4, 0.2]),
        (True, [(1 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]),
    ],
)
def test_backbones_see_rgb_in_the_range_they_were_trained_on(normalised: bool, wanted: list[float]) -> None:
    graph = model(normalised)
    blue_green_red = torch.tensor([51.0, 102.0, 255.0]).reshape(1, 3, 1, 1).expand(1, 3, 320, 320)

    graph(blue_green_red, torch.zeros(1, 2, 4))

    np.testing.assert_allclose(graph.backbone.seen[0, :, 7, 9], wanted, atol=1e-6)


@pytest.mark.parametrize("name", GAZE_SIZES)
def test_only_vision_transformers_want_mean_and_spread(name: str) -> None:
    with torch.device("meta"):
        assert GAZE_SIZES[name].backbone().normalised == (name.split("-")[-1] not in ("atto", "femto", "pico", "n"))


def test_last_resize_drops_every_fifth_row_and_column() -> None:
    (maps,) = model()(torch.zeros(1, 3, 320, 320), torch.zeros(1, 2, 4))

    assert maps.shape == (2, 32, 32)
    kept = [cell for cell in range(40) if cell % 5 != 4]
    assert maps[1, 0].tolist() == kept
    assert maps[1, :, 0].tolist() == [40 * cell for cell in kept]


def test_maps_of_the_right_size_are_not_resized() -> None:
    (maps,) = model(out=40)(torch.zeros(1, 3, 320, 320), torch.zeros(1, 1, 4))

    assert maps.flatten().tolist() == list(range(1600))


@pytest.mark.parametrize(
    ("name", "kernels", "out"), [("atto", [3] * 3, 256), ("femto", [5] * 3, 512), ("pico", [5] * 6, 512)]
)
def test_third_stage_of_hgnet(name: str, kernels: list[int], out: int) -> None:
    with torch.device("meta"):
        net = HGNet(name)

    convs = [module for module in net.stages[2].blocks.modules() if isinstance(module, torch.nn.Conv2d)]
    assert [conv.kernel_size[0] for conv in convs if conv.groups > 1] == kernels
    assert net.channels == out


def test_hgnet_halves_at_each_stage() -> None:
    with torch.device("meta"):
        maps = HGNet("b0")(torch.zeros(1, 3, 64, 96))

    assert [tuple(each.shape[1:]) for each in maps] == [(64, 16, 24), (256, 8, 12), (512, 4, 6), (1024, 2, 3)]
