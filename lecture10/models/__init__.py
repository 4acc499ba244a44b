"""One file per system, in lecture order."""
