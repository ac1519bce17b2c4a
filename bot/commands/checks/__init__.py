"""What `python run.py doctor` looks at, one module each; none of them prints, and none changes what it looks at."""
