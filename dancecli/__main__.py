"""`python -m dancecli` is `dance`."""

from dancecli.cli.main import main

main()
