"""From what a person typed to a request, and from a request to its children. Pure."""
