"""Writes the reference pages of the documentation from the code: `python -m docgen`.

The pages are checked in, so that they can be read without building the site; `tests/docs/test_reference.py` fails when
one of them no longer says what the code does.
"""
