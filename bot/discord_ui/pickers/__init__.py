"""Browsing models and LoRAs: pages with sample pictures, what each is for, and painting with what was picked."""
