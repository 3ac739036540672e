"""What the command line runs: ``table.py`` names all commands; each module is one of them."""
