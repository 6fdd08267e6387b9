"""The emulator of the General API: one endpoint, actions on models."""
