"""Parts of downloads: safe names, ranges of bytes, a receiver, files that appear when they are complete."""
