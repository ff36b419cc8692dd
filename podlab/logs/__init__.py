"""Container log files: where they lie, how they are written, rotated, read and followed. Start with `layout`."""
