"""The list of tags that Easel ships, put together from words written for it."""
