"""Sentences of our own that teach meaning: frames in `texts/`, filled with words, each with what it is.

Real comments leave gaps: few deny an insult, report one, or use "kill" of a process, and none says where the harm lies.
The frames fill them, mostly in pairs that differ in little but the harm. They are written for this purpose; none comes
from a published test set. Insults in them are mild on purpose; foul words come from the data sets alone.
"""

from training.frames.grammar import Frame, read_fillers, read_frames
from training.frames.leaks import find_leaks
from training.frames.making import FrameRow, make_lesson_rows, make_rows, runtime_fillers

__all__ = [
    "Frame",
    "FrameRow",
    "find_leaks",
    "make_lesson_rows",
    "make_rows",
    "read_fillers",
    "read_frames",
    "runtime_fillers",
]
