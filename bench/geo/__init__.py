"""The map (views, circles, heat map) beside other systems, on the same points in one run."""
