"""An API server in memory, one of any number in a process, each with a store, revisions and types of its own.

A request comes as bytes and leaves as bytes: nobody shares an object with it. On its way it is read (`routing`),
changed and judged by what its type asks (`schemas`, `fields`, `patches`), and kept (`store`), which numbers each change
and tells watches of it.
"""
