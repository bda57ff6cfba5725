"""One program per question about speed and cost: `python -m bench.NAME [--short]`. See README.md here."""
