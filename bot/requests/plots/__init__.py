"""Many pictures at once: X/Y/Z plots, prompt matrices and prompts from a file, after the webui's scripts of these names."""
