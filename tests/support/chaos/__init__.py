"""Days of fleet life: events by chance, invariants after every step, and schedules that are reduced when one breaks."""
