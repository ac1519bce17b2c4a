"""Model files fetched from elsewhere: from hubs and by direct links, checked at every step, and put where they belong."""
