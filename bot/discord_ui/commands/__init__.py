"""The slash commands: each module registers its own on the tree."""
