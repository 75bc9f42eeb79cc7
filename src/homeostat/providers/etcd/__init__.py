"""etcd as the cluster operator asks for it, over the JSON gateway that every member serves beside gRPC."""
