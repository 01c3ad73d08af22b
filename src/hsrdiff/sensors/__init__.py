"""Spectral response tables of known sensors, and of the user's own."""

from __future__ import annotations

from hsrdiff.sensors.catalog import SENSORS, load_sensor
from hsrdiff.sensors.sensor import Sensor
from hsrdiff.sensors.shapes import band_sensor, gaussian_sensor
from hsrdiff.sensors.table import read_table

__all__ = ["SENSORS", "Sensor", "band_sensor", "gaussian_sensor", "load_sensor", "read_table"]
