"""Model files that do not ship: where they lie, how they are fetched, and what is remembered of them."""
