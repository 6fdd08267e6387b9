"""The contenders: this client, the floor, and peers as their own documents say to write them.

Each module is loaded in a process of its own, so that no contender pays for another's imports.
"""
