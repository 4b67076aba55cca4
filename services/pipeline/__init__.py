"""The pipeline from a model and a corpus to an atlas folder; `python -m services.pipeline --help`."""
