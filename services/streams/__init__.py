"""Kinds of attention: who may attend to whom."""
