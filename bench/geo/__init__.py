"""Place: viewports, circles, heat, beside the peers, on the same points in the same run."""
