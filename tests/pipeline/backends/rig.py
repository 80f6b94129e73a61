"""Sessions of tiny models on a GPU with TensorRT that are stood in for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backends.accelerated import Accelerated
from pipeline.backends.acceleration import Acceleration, acceleration
from pipeline.cuda.driver import Gpu
from pipeline.session import Session, open_session
from pipeline.settings import EngineConfig
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_tensorrt import FakeTensorRt
from tests.pipeline.tiny_model import install, model


@dataclass
class Rig:
    """What a test of engines works with."""

    device: CudaDeviceOnCpu
    trt: FakeTensorRt
    root: Path
    gpu: Gpu

    @property
    def engines(self) -> Path:
        return self.root / "engines"

    def acceleration(self, live: bool = False, **settings: Any) -> Acceleration:
        """Return what gives models engines; settings are of the `engine:` block."""
        config = EngineConfig(**{"backend": "tensorrt", "cache_folder": self.engines, **settings})
        made = acceleration(config, self.device, live=live)
        assert made is not None
        return made

    def opened(self, content: bytes | None = None, live: bool = False, card: Any = None, **settings: Any) -> Session:
        """Open a model of one operation, `y = x + [1, 2, 3]` unless told otherwise."""
        install(self.root, content or model(), **(card or {}))
        return open_session("tiny", self.device, self.root, acceleration=self.acceleration(live, **settings))

    def fed(self, rows: Any) -> dict[str, Any]:
        """Return an input x on the device."""
        return {"x": self.device.xp.asarray(np.array(rows, np.float32))}

    def accelerated(self, session: Session) -> Accelerated:
        """Return what a session runs."""
        assert isinstance(session._backend, Accelerated)
        return session._backend

    def told(self, session: Session, rows: Any = ((1, 1, 1),)) -> list[Any]:
        """Run a session on x, and return y on the host."""
        told: list[Any] = self.device.to_host(session.run(self.fed(rows))["y"]).tolist()
        return told
