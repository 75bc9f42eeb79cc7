"""What kube-controller-manager does, one module or folder for each of its controllers.

Each offers `add_<name>(manager, client)`, which adds its informers and its loop to a manager. Decisions are pure
functions; loops are woken by changes, or by a timer for one object that will be late; none looks round periodically.
"""
