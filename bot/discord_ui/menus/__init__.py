"""What can be done with any message: painting from its pictures, and reading what they tell."""
