"""What is special about each endpoint: one file an endpoint, in wings."""
