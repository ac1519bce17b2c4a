"""A stand-in for Discord on 127.0.0.1, and the page that shows it in a browser."""
