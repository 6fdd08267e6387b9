"""Generated tables of the emulator; see codegen/zeyos_database.py."""
