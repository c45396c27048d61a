"""Open data: files a month and format."""
