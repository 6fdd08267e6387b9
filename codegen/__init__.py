"""Writes the generated modules of the library from facts (``specs/``) and our corrections (``overlays/``)."""
