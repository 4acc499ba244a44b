"""The model answers: real functions, linted and tested; `l10.answer` shows their source."""
