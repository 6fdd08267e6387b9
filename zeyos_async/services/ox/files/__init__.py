"""What downloads are made of: safe names, parts of files, files that appear when they are complete."""
