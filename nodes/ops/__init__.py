"""Array maths without state; imports nothing of ours."""
