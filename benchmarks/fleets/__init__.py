"""What fleets of many clusters cost, in a simulated cell: the world's processor time and the operator's, told apart."""
