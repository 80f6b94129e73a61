"""What the README's figures come from, one command each: accuracy, events, real, speed, tracking.

Each prints a table, writes `out/bench/<name>.json`, and with `--check` fails where a figure misses its target in
`targets.yaml`.
"""
