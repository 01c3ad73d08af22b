"""Spectral response tables of known sensors, and of the user's own."""

from __future__ import annotations

from hsrdiff.sensors.sensor import Sensor

__all__ = ["Sensor"]
