"""Sessions of tiny models on a GPU with TensorRT that are stood in for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

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

    def opened_finder(self, **settings: Any) -> Session:
        """Open a model that tells where x is not 0: how large its output is shows only in the run."""
        found = helper.make_graph(
            [helper.make_node("NonZero", ["x"], ["y"])],
            "found",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
            [helper.make_tensor_value_info("y", TensorProto.INT64, [2, "found"])],
        )
        content = helper.make_model(found, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        contract = {"y": {"shape": [2, "found"], "dtype": "int64"}}
        install(self.root, content.SerializeToString(), contract)
        return open_session("tiny", self.device, self.root, acceleration=self.acceleration(**settings))

    def wrong_side_by_side(self, session: Session, threads: int, times: int) -> list[int]:
        """Run a session in threads at once, each on numbers of its own; return the number of each wrong answer."""
        wrong: list[int] = []

        def work(value: int) -> None:
            for _ in range(times):
                if self.told(session, [[value] * 3]) != [[value + 1, value + 2, value + 3]]:
                    wrong.append(value)

        begun = [threading.Thread(target=work, args=(value,)) for value in range(threads)]
        for thread in begun:
            thread.start()
        for thread in begun:
            thread.join()
        return wrong

    def accelerated(self, session: Session) -> Accelerated:
        """Return what a session runs."""
        assert isinstance(session._backend, Accelerated)
        return session._backend

    def told(self, session: Session, rows: Any = ((1, 1, 1),)) -> list[Any]:
        """Run a session on x, and return y on the host."""
        told: list[Any] = self.device.to_host(session.run(self.fed(rows))["y"]).tolist()
        return told
