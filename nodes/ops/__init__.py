"""Array maths without state; imports nothing of ours but what tells the functions of an array."""
