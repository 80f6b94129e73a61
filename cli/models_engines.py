"""`run_graph.py models engines [NAME...]`: the engines of TensorRT that were built; with --remove, remove them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cli.ctl_tables import table
from cli.model_states import size_text
from cli.program import DONE
from pipeline.backends.engine_cache import EngineCache, default_folder
from pipeline.backends.engine_key import EngineRecord


def main(argv: Sequence[str]) -> int:
    """List engines, or remove them.

    Raises:
        ConfigError: others may write in the folder of engines.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py models engines", description=__doc__.partition(": ")[2])
    parser.add_argument("names", metavar="NAME", nargs="*", help="engines of these models only")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where they lie; as engine.cache_folder says")
    parser.add_argument("--remove", action="store_true", help="remove them; they are built again when they are needed")
    args = parser.parse_args(argv)
    folder = args.folder or default_folder()
    if not folder.exists():
        print(f"no engines in {folder}")
        return DONE
    cache = EngineCache(folder)
    found = [record for record in cache.records() if not args.names or record.name in args.names]
    if args.remove:
        for record in found:
            cache.remove(record.name, record.key)
            print(f"removed: {cache.path(record.name, record.key)}")
    elif found:
        print(table(("model", "precision", "GPU", "TensorRT", "driver", "size"), [_row(record) for record in found]))
    print(f"{len(found)} engines {'removed from' if args.remove else 'in'} {folder}")
    return DONE


def _row(record: EngineRecord) -> tuple[str, ...]:
    key = record.key
    size = size_text(record.size) if record.size else "in a folder"
    return record.name, key.precision, key.gpu, key.tensorrt, key.driver or "?", size
