"""Generated tables of the emulator; see codegen/ox_emulator.py."""
