"""How many clusters of a cell are created, and how many are moved, at once; and whose turn it is.

A thousand Clusters that are declared in one instant would start four thousand Pods, none of which would be ready in
time. So some go first, the others wait in line by age, and say so. What is under way and who waits is read off from the
Clusters alone: an operator that starts anew knows the same line.
"""
