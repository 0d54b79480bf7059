"""The erasers' handlers without the minutes between rounds, and those in which rows may still arrive.

These minutes are constants: no tenant makes them longer. Without them the time to "verified" is that of the
erasers' work and turns.
"""

from datetime import timedelta

from functions.privacy import byoc_eraser, eraser
from functions.privacy.erasure import files, moves, objects, person_planner

_WAITS = (
    (files, "STILL_BEING_PUT"),
    (objects, "STILL_BEING_STAGED"),
    (person_planner, "STILL_BEING_STAGED"),
    (person_planner, "STILL_BEING_WRITTEN"),
)

moves.LOOK_AGAIN_SECONDS = 1
for _module, _name in _WAITS:
    assert isinstance(getattr(_module, _name), timedelta)
    setattr(_module, _name, timedelta(seconds=1))

eraser_handler = eraser.handler
byoc_eraser_handler = byoc_eraser.handler
