"""What Easel says on its own: queue cards that move, and results that arrive, whatever happened meanwhile."""
