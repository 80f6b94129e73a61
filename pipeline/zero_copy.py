"""Watch what crosses between host and device in a run, and hold it to the promise `engine.assert_zero_copy`."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.cuda.traffic import LARGE_BYTES, Crossed, since
from pipeline.device import Device
from pipeline.errors import ConfigError, PipelineError


class CopyWatch:
    """What crossed between host and device since a run began, and whether it may.

    Rows of detectors, peaks and maps of gaze may come to the host, and so may frames for who draws or writes them.
    Pictures may not go to the device, and no other copy may be large.

    Args:
        device: what counts copies.
        asserted: whether a run promises it; all else does nothing where it does not.
        fail: called with what is wrong, once.

    Raises:
        ConfigError: the device shares its memory with the host.
    """

    def __init__(self, device: Device, asserted: bool, fail: Callable[[PipelineError], None]) -> None:
        if asserted and device.kind != "cuda":
            raise ConfigError(
                f"engine.assert_zero_copy: expected the device cuda, got {device.kind}: nothing can cross there; give "
                "--device cuda, or leave it out"
            )
        self._device, self._fail = device, fail
        self._watching = asserted
        self._made = self._before = device.crossed()

    def begin(self) -> None:
        """Count from now on: models have been tried by now."""
        self._before = self._device.crossed()

    def crossed(self) -> Crossed:
        """Return what has crossed since this was made, trials of models included."""
        return since(self._device.crossed(), self._made)

    def check(self) -> None:
        """Fail when something has crossed that should not have."""
        error = self._error() if self._watching else None
        if error:
            self._watching = False
            self._fail(error)

    def _error(self) -> PipelineError | None:
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
