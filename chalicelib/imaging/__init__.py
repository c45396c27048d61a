"""Makes pictures from uploads. Only these modules load Pillow and libheif.

They run in a process of their own (``sandbox``), and only in the photo function.
"""
