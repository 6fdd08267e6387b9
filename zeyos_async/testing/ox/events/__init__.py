"""The calendar of the emulated server: times, recurrences and events."""
