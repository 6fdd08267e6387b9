"""The parts of the command that differ between APIs: options, address and credential, and readers of rows."""

from __future__ import annotations

from .base import ApiCommand, ApiOption, ApiOptions
from .table import api_names, load_command, open_client, open_reader

__all__ = ["ApiCommand", "ApiOption", "ApiOptions", "api_names", "load_command", "open_client", "open_reader"]
