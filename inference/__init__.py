"""The painter: `api` is the shared vocabulary, `client` the asyncio side of the wire, `engine` the worker program."""
