"""Cases of operations: the parameters, bodies and files with which each of them succeeds.

Every module beside this one registers the cases of some modules of the API, and what has to be made for them before.
"""

from . import accounts, groupware, mail_drive_calendar
from .registry import CASES, Case, Prepared, prepare

__all__ = ["CASES", "Case", "Prepared", "accounts", "groupware", "mail_drive_calendar", "prepare"]
