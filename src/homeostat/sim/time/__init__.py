"""Time and chance of a simulation: an event loop on which waiting takes no time and one seed gives one order.

On an ordinary loop, the machine decides how long a wait takes and which of two ready tasks goes first. Here both are
decided by the program: time jumps to the next timer as soon as nothing is ready, and the order of what is ready follows
from a seed. So a year of sleep takes no time, every run with a seed is the same run, and other seeds try other orders.

It is asyncio's own loop with three parts replaced (what is ready, what waits, how threads are reached), so that task
groups, timeouts, cancellation and asynchronous generators are those of production, not likenesses of them.
"""
