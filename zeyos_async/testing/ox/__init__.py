"""The emulator of Open-Xchange's HTTP API."""
