"""Scripts that make what ships in `models/annotators`."""
