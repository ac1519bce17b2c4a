"""Preprocessors: pictures become maps of edges, depth or poses, and maps are fitted to the canvas that a ControlNet steers."""
