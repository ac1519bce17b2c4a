"""The worker program (torch, diffusers). Started by name as a program; imported by nobody outside this folder."""
