"""How an email looks: pure functions for what mail clients make of it, and pictures of that."""
