"""Benches: what requests, clocks, maps, photos and open data cost, mostly as ratios in one run."""
