"""Octaved Flow: the client, its resources, and what its document says about them."""
