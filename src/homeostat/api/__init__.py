"""The words of the system: typed Kubernetes objects, homeostat's own kinds, and the CRDs generated from them.

Types are slim msgspec structs that declare only the fields that are read, so an object read here is never written
back whole: writers build what they own and send it by server-side apply or JSON patch.
"""
