"""Photos: upload tickets, processing, duplicates, moderation, signed addresses."""
