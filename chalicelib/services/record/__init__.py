"""The daily root of the record: one hash over all reports, and what proves a report in it."""
