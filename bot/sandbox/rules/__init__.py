"""What Discord refuses in a body: rules by hand, also those that its OpenAPI description does not tell."""
