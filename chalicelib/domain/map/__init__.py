"""Geohashes, covers, tiles, pins, counters of the heat map."""
