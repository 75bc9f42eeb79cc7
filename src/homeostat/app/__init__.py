"""The only place that wires controllers, ports and options together."""
