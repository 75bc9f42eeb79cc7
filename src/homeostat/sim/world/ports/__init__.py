"""The ports of the cluster operator over a world: what real providers do by sockets, done by its network."""
