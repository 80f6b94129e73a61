"""Messages between programs over ZeroMQ, kept in a durable log. What the messages say is not known here."""
