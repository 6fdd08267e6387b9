"""The commands, one in each module; a module is imported when its command runs."""
