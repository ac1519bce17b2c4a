"""What happens when somebody presses a button or chooses from a menu: one dynamic item, and a handler an action."""
