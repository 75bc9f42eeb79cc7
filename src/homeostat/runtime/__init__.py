"""What every controller stands on: caches, queues, the reconcile loop, leadership and the process around them.

`Manager` owns a process; it runs `Informer`s (caches fed by watches), `Controller`s (a `Queue` of keys and workers)
and, for each operator, a `Loop` that takes a key through observe, decide, gate, act and report.
"""
