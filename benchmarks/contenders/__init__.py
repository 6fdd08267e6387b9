"""What is measured: ours, the floor, and peers as their own documents say to write them.

Each module is loaded in a process of its own, so that nobody pays for another's imports.
"""
