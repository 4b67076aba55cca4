"""Kinds of attention, and who may attend to whom."""

from services.streams.key_runs import KeyRuns
from services.streams.mask import CAUSAL, CROSS, FULL, StreamMask
from services.streams.places import Places
from services.streams.tokens import StreamTokens

__all__ = ["CAUSAL", "CROSS", "FULL", "KeyRuns", "Places", "StreamMask", "StreamTokens"]
