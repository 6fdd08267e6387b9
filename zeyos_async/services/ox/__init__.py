"""Open-Xchange."""
