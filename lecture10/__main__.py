"""`python -m lecture10`: the command line."""

from lecture10.backstage.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
