"""Admission: who else is asked before a write is kept, and what becomes of it by what they say.

`reviewed` says what is asked about, `matching` which webhooks of a configuration want to know of it, `conditions` has
their expressions, `calling` the way to them, `reviews` what is said there, `hooks` what their answers do to a write.
`policies` are rules that the server evaluates itself. `admission` joins them; a write on a server without any
configuration costs it one look.
"""
