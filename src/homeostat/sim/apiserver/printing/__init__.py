"""Tables: what `kubectl get` shows of objects, made by the server, so that every client shows the same."""
