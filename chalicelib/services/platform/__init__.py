"""What every other service uses: idempotency, signatures, cursors, URLs, message texts."""
