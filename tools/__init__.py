"""Scripts that make parts of the project: the default model, pages of the documentation."""
