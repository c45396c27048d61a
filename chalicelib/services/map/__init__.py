"""The public map: viewport, nearby reports, heat map, changes."""
