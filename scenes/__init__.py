"""Procedural places with exact ground truth: stills, head crops and clips of people who look at things.

Everything here is drawn from a seed with numpy and OpenCV: no assets, no state between calls. World coordinates are
metres with x to the right, y down and z forward; the floor is y = 0, so whatever stands above it has a negative y.
"""

VERSION = "1"
"""Version of what is drawn: grows whenever a seed's truth changes."""
