"""A believable WedSync: some 2,000 suppliers, drawn from a seed, whose lives are told through the same door as real traffic and go on.

`people` and `world` say who they are, `days` what happens on a day, `loading` puts it in and plays it on, `removal` takes exactly that away.
"""

from config.local.demo.loading import load, play, start
from config.local.demo.removal import count, remove
from config.local.demo.source import Busy, NotHere, is_in

__all__ = ["Busy", "NotHere", "count", "is_in", "load", "play", "remove", "start"]
