"""Small commands and scripts of a shell: what ends by itself, with a code, and what waits before it does.

Whatever is not known here makes a script one that nobody knows, which runs for ever and is well: half a script is
never run.
"""
