"""Servers: what their managers choose and see, the gate that keeps it, and reports."""
