"""StatefulSets: Pods with numbers, names and volumes of their own, made and replaced in order or all at once.

`identity` says what a Pod is called and made of, `deciding` which ones are made and ended now, `retaining` whose their
claims are. The rest of this folder does it. Labels that somebody takes from a Pod are not put back.
"""
