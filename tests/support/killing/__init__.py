"""A harness that kills operators at every moment at which the world can tell, and judges what their successors do."""
