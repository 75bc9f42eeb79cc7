"""From a Cluster and its package version to the objects that its masters are: pure functions, one file a component."""
