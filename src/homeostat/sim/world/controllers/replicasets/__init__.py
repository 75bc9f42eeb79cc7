"""ReplicaSets: a number of equal Pods, made and ended until there are so many."""
