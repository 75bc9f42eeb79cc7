"""homeostat keeps fleets of Kubernetes clusters in the final state that their owners declared."""
