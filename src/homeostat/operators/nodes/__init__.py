"""The Nodes of one business cluster, counted: what `homeostat run cluster` tells of them as metrics."""
