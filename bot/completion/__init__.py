"""What the prompt's last word may become: tags, wildcards, networks and flags, from memory alone."""
