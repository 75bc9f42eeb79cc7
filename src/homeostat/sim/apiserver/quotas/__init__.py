"""What the objects of a namespace may take together: who counts them, and which of them a ResourceQuota means.

A quota names what it limits (`pods`, `requests.cpu`, `count/secrets`). To each type of objects belongs one counter,
that knows the names under which its objects count, and how much each of them takes. Admission charges quotas when
something is made; a controller counts anew when something goes. Both ask the same counters.
"""
