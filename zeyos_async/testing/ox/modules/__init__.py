"""What each module of the emulated API does; a module's functions register themselves on import."""
