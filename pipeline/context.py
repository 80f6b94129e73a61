"""What the engine lends a node: its name, the device, models, a place for files, and where values come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.backends.acceleration import Acceleration
    from pipeline.cards import ModelCard
    from pipeline.device import Device
    from pipeline.graph import Graph
    from pipeline.lineage import Lineage
    from pipeline.session import Session


class Context:
    """What the engine lends a node: its name, the device, models, a place for files, and where values come from.

    Args:
        name: of the node in the graph.
        device: where models run.
        out_dir: the folder of the run.
        root: the checkout, where model cards are found.
        graph: the whole graph, also where only part of it is run.
        models: name and checksum by card of the models that a recording was made with.
        acceleration: what executes models in place of ONNX Runtime; None: nothing does.
    """

    def __init__(
        self,
        name: str,
        device: Device,
        out_dir: Path,
        root: Path,
        graph: Graph,
        models: Mapping[str, tuple[str, str]] | None = None,
        acceleration: Acceleration | None = None,
    ) -> None:
        self.name = name
        self.device = device
        self._out_dir = out_dir
        self._root = root
        self._graph = graph
        self._models = dict(models or {})
        self._acceleration = acceleration
        self._lineages: dict[str, Lineage] = {}
        """By edge, with the values that nodes have now."""
        self.outputs: list[Path] = []
        """What `output_path` returned, each once."""

    def output_path(self, stream_id: str, file: str) -> Path:
        """Return where a sink writes `file` of a stream: `<out>/<stream_id>/<file>`; the folder exists afterwards.

        Raises:
            ConfigError: the folder cannot be made; names the path and the cause.
        """
        from pipeline.outputs import make_folder

        path = make_folder(self._out_dir / stream_id) / file
        if path not in self.outputs:
            self.outputs.append(path)
        return path

    def run_path(self, file: str) -> Path:
        """Return where a node keeps a `file` for all streams: `<out>/<file>`; the folder exists afterwards.

        Raises:
            ConfigError: the folder cannot be made; names the path and the cause.
        """
        from pipeline.outputs import make_folder

        return make_folder(self._out_dir) / file

    def lineage(self, port: str) -> Lineage:
        """Return what made the values that come in at a port: graph, models, configuration.

        Two nodes that read one edge are told the same, whatever else they read. When values change while the graph
        runs, another one is returned from that tick on; asking in each tick costs nothing.

        Raises:
            KeyError: the port is not connected.
            ConfigError: the card or the file of a model is missing or wrong.
        """
        from pipeline.lineage import lineage_of

        edge = self._graph.node(self.name).inputs[port]
        if edge not in self._lineages:
            self._lineages[edge] = lineage_of(self._graph, edge, self._root, self._models)
        return self._lineages[edge]

    def take_up(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        """Know other values of nodes, by name and field; those of nodes that are not in the graph are left out.

        Raises:
            ConfigError: the values are wrong.
        """
        from pipeline.configured import with_values

        graph = with_values(self._graph, nodes)
        if graph != self._graph:
            self._graph = graph
            self._lineages = {}

    def card(self, card: str) -> ModelCard:
        """Return a model card, named as for `open_session`.

        Raises:
            ConfigError: there is no such card, or it is wrong.
        """
        from pipeline.cards import load_card

        return load_card(card, self._root)[0]

    def open_session(self, card: str, outputs: Collection[str] = (), size_wh: tuple[int, int] | None = None) -> Session:
        """Open the model of a card (`configs/models/<card>.yaml`, or a path to a card or an .onnx file).

        Args:
            card: as above.
            outputs: those that are wanted; what only others need is never computed. None: all.
            size_wh: width and height of the pictures it will be given, pixels; None: as the card says.

        Raises:
            ModelError: the file is missing, changed, or breaks the contract; names the cure.
        """
        from pipeline.session import open_session

        return open_session(card, self.device, self._root, outputs, size_wh, self._acceleration)
