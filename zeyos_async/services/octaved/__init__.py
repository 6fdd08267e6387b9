"""Octaved Flow: the client, its resources, and their tables."""
