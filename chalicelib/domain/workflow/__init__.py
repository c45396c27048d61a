"""The table of states and actions, and who may take them."""
