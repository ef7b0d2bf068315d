#!/usr/bin/env python3
"""Draws a session in a view for README.md: runs demo.sh, and writes what some of its steps really gave as
SVG to standard output. scopefs and scopefs-exec are taken from PATH.

    PATH=$PWD/build:$PATH examples/quickstart/picture.py >examples/quickstart/session.svg
"""
import os
import re
import subprocess
import sys
from xml.sax.saxutils import escape

STEPS = [
    "host $ scopefs mount agent",
    "agent $ ls contracts; cat contracts/margins.txt",
    "agent $ cat .env",
    'agent $ echo "changed" >> README.md',
    'host $ echo "TOKEN=do-not-leak" > shop/src/.env && ls -A shop/src',
    "agent $ ls -A src; cat src/.env",
    "host $ scopefs explain agent src/main.c contracts/acme.txt src/.env",
    "host $ scopefs exec agent -- pwd",
    "host $ scopefs exec agent -- cat contracts/margins.txt",
]
COLOURS = {"host": "#d29922", "agent": "#58a6ff", "heading": "#8b949e", "text": "#e6edf3"}
WIDTH, LINE_HEIGHT, LETTER, MARGIN = 100, 18, 7.8, 16


def run_demo():
    demo = os.path.join(os.path.dirname(os.path.abspath(__file__)), "demo.sh")
    session = subprocess.run([demo], stdout=subprocess.PIPE, text=True, check=False)
    if session.returncode != 0:
        sys.exit(session.stdout + "picture: the demo broke a promise, so there is nothing to show")
    return session.stdout.splitlines()


def chosen(session):
    """Lines of the steps, each with its kind, and the headings before them."""
    heading, taking, missing = None, False, list(STEPS)
    for line in session:
        prompt = re.match(r"(host|agent) \$ ", line)
        if line.startswith("# "):
            heading, taking = line, False
        elif prompt:
            taking = line in missing
            if taking:
                missing.remove(line)
                if heading:
                    yield "heading", heading
                heading = None
                yield prompt.group(1), line
        elif taking and line:
            # Where the presets are installed is no matter here.
            yield "text", re.sub(r"[^ ]*/presets/", "presets/", line)
    if missing:
        sys.exit("picture: the demo no longer has the step: " + missing[0])


def draw(lines):
    rows = []
    for kind, line in lines:
        if kind == "heading" and rows:
            rows.append(("text", ""))
        while len(line) > WIDTH:
            rows.append((kind, line[:WIDTH]))
            line = "    " + line[WIDTH:]
        rows.append((kind, line))
    width = int(WIDTH * LETTER) + 2 * MARGIN
    height = len(rows) * LINE_HEIGHT + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'font-family="monospace" font-size="13">')
    yield f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>'
    for number, (kind, line) in enumerate(rows):
        if line:
            weight = ' font-weight="bold"' if kind in ("host", "agent") else ""
            yield (f'<text x="{MARGIN}" y="{MARGIN + 13 + number * LINE_HEIGHT}" xml:space="preserve" '
                   f'fill="{COLOURS[kind]}"{weight}>{escape(line)}</text>')
    yield "</svg>"


print("\n".join(draw(chosen(run_demo()))))
