"""The SLA clock: the sweep over what has fallen due."""
