"""Mail clients: what each of them supports, and what a document asks of them."""
