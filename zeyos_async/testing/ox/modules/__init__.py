"""The modules of the emulated API; their functions register themselves on import."""
