"""Cameras made of clips, on this machine: RTSP and HTTP servers that fail in the ways that real cameras do.

Tests, benchmarks and examples read from them. Each frame carries its number in its picture, so that whoever shows it
knows when it was sent. `python -m benchmarks.cameras` runs them in a process of its own.
"""
