"""Hold a run to its promise that pictures and features stay on the device: `engine.assert_zero_copy`."""

from __future__ import annotations

from pipeline.cuda.traffic import LARGE_BYTES, Crossed, since
from pipeline.device import Device
from pipeline.errors import ConfigError, PipelineError


class ZeroCopy:
    """What crossed between host and device since a run began, and whether it may.

    Rows of detectors, peaks and maps of gaze may come to the host, and so may frames for who draws or writes them.
    Pictures may not go to the device, and no other copy may be large.

    Raises:
        ConfigError: the device shares its memory with the host.
    """

    def __init__(self, device: Device) -> None:
        if device.kind != "cuda":
            raise ConfigError(
                f"engine.assert_zero_copy: expected the device cuda, got {device.kind}: nothing can cross there; give "
                "--device cuda, or leave it out"
            )
        self._device = device
        self._before: Crossed = {}

    def begin(self) -> None:
        """Count from now on: models have been tried by now."""
        self._before = self._device.crossed()

    def error(self) -> PipelineError | None:
        """Return what has crossed and should not have."""
        wrong = []
        for key, row in since(self._device.crossed(), self._before).items():
            stage, what = key.rsplit(": ", 1)
            count = row["copies"] if what == "to_device pictures" else row["large"]
            if count and what not in ("to_host pictures", "decoded pictures"):
                wrong.append(f"{count} of {what.replace('_', ' ')} in {stage!r} ({row['bytes']} bytes in all)")
        if not wrong:
            return None
        cure = (
            "the log says why frames are not decoded on the device"
            if any("device pictures" in one for one in wrong)
            else "a node wants large arrays on the host: leave it out"
        )
        return PipelineError(
            f"engine.assert_zero_copy: expected no picture to go to the device and no other copy of {LARGE_BYTES} "
            f"bytes or more, got {'; '.join(wrong)}; {cure}, or turn assert_zero_copy off"
        )
