"""Official weights <-> ours, one file per system."""
