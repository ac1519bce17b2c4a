"""Steering by pictures: the card on which controls are gathered and looked at before anything is painted."""
