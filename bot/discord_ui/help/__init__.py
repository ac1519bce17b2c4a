"""Help: topics with what belongs to them, made from the commands themselves."""
