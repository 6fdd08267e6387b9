"""The emulator of Octaved Flow, written from the API's document alone."""
