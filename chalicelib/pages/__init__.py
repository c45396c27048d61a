"""Small HTML pages that work without a script: behind links in messages, and the landing page."""
