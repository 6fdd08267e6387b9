"""What other programs exchange: contacts as CSV and vCard, events and tasks as iCalendar."""
