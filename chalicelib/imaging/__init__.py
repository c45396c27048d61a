"""Pictures out of what people upload. Pillow and libheif are loaded by the modules here alone, in
a process of their own (``workshop``), and only in the photo function."""
