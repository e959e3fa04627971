#!/usr/bin/env python3
"""Draws the icons: a shield with a check mark. Python's standard library only.

    azure/draw-icon.py     writes icon.png (the task's, 32 x 32) and extension-icon.png (128 x 128) beside this file
"""

import struct
import zlib
from pathlib import Path

BLUE, WHITE, CLEAR = (17, 94, 163, 255), (255, 255, 255, 255), (0, 0, 0, 0)
SHIELD = [(0.5, 0.04), (0.9, 0.17), (0.9, 0.5), (0.84, 0.66), (0.72, 0.8), (0.5, 0.96), (0.28, 0.8), (0.16, 0.66), (0.1, 0.5), (0.1, 0.17)]
CHECK = [(0.3, 0.5), (0.45, 0.65), (0.71, 0.36)]
STROKE = 0.055
SAMPLES = 4


def inside(x, y, polygon):
    """Even-odd rule."""
    odd = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1]):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            odd = not odd
    return odd


def near(x, y, line):
    """Whether a point is within the stroke of a line."""
    for (ax, ay), (bx, by) in zip(line, line[1:]):
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        along = min(1.0, max(0.0, along))
        if (x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2 <= STROKE**2:
            return True
    return False


def colour(x, y):
    if not inside(x, y, SHIELD):
        return CLEAR
    return WHITE if near(x, y, CHECK) else BLUE


def pixel(column, row, size):
    """The mean of some samples, so that edges are smooth; clear ones have no colour of their own."""
    steps = [(i + 0.5) / SAMPLES for i in range(SAMPLES)]
    found = [colour((column + dx) / size, (row + dy) / size) for dx in steps for dy in steps]
    alpha = sum(sample[3] for sample in found)
    if alpha == 0:
        return CLEAR
    mixed = [round(sum(sample[i] * sample[3] for sample in found) / alpha) for i in range(3)]
    return (*mixed, round(alpha / len(found)))


def png(size):
    rows = b"".join(b"\0" + b"".join(bytes(pixel(column, row, size)) for column in range(size)) for row in range(size))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


for name, size in (("icon.png", 32), ("extension-icon.png", 128)):
    Path(__file__).with_name(name).write_bytes(png(size))
