"""The algorithm of a fit: the server's generator, the client's tasks, local steps."""
