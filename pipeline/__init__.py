"""The engine: runs any video graph and knows no stage, no person and no gaze."""
