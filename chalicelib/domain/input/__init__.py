"""What people send, made safe: JSON, schemas, texts, e-mail addresses, languages."""
