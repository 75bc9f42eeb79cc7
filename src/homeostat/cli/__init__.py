"""The command line: a client like any other, which uses the API as kubectl does.

Data goes to stdout, everything else to stderr. Commands are imported when they are used, so that the start stays short.
"""
