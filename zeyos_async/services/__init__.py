"""One folder for each API, and ``base`` for what they share."""
