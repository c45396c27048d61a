"""What tests share: a test city, its people, random histories, photos, servers outside."""
