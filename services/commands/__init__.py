"""The command line: one module a subcommand, each with its options and what it does. `python app.py --help`."""
