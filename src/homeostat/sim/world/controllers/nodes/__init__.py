"""Nodes that fall silent: what is said of them, which taints they get, and what becomes of their Pods.

`judging` decides for one Node, `pace` how soon many may be given up, `lifecycle` is the loop of Nodes, `eviction` and
`leftovers` those of Pods.
"""
