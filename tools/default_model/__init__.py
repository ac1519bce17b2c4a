"""Easel's own small Stable Diffusion model: pictures, training, judging and export."""
