"""Series: many pictures that are asked for at once, agreed to on a card, painted as ordinary jobs and shown as one grid."""
