"""Formats of other programs: contacts as CSV and vCard, events and tasks as iCalendar."""
