"""The pipeline from a model and a corpus to an atlas folder; `python app.py build --help`."""
