"""What `python -m bot COMMAND` does from the shell: doctor, models, imagine."""
