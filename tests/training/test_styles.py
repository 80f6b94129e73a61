"""Features of heads in other styles: their statistics change, what they show does not, and nothing does in use."""

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.head_net import CROP_PX, HeadNet  # noqa: E402
from training.styles import restyled  # noqa: E402


def test_half_of_the_crops_get_another_mean_and_spread_and_keep_their_pattern() -> None:
    torch.manual_seed(0)
    features = torch.randn(200, 3, 6, 6) * torch.rand(200, 3, 1, 1) + torch.randn(200, 3, 1, 1)

    told = restyled(features)

    def pattern(of: torch.Tensor) -> torch.Tensor:
        centred = of - of.mean((2, 3), keepdim=True)
        return centred / centred.norm(dim=(2, 3), keepdim=True)

    torch.testing.assert_close(pattern(told), pattern(features), rtol=1e-3, atol=1e-3)
    changed = (told - features).abs().amax((1, 2, 3)) > 1e-3
    assert 70 <= int(changed.sum()) <= 130
    moved = (told.mean((2, 3)) - features.mean((2, 3)))[changed]
    assert moved.std() == pytest.approx(float(features.mean((2, 3)).std()), rel=0.2)


def test_only_who_learns_sees_other_styles() -> None:
    torch.manual_seed(0)
    net, crops = HeadNet((8, 8, 8, 16, 16)), torch.randn(16, 3, CROP_PX, CROP_PX)
    net.train()
    as_they_are = net(crops)[1]
    net.restyle = True

    assert not torch.allclose(net(crops)[1], as_they_are)
    net.eval()
    told = net(crops)[1]
    net.restyle = False
    torch.testing.assert_close(net(crops)[1], told, rtol=0, atol=0)
