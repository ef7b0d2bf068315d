#!/usr/bin/env python3
"""What an agent may do with paths, by libscopefs through ctypes: one JSON object per path.

    decide.py FILE SCOPE PATH...

The keys are those of `scopefs explain --json`. A path is taken for a directory when it ends with '/'.
"""
import ctypes
import json
import os
import sys


class Finding(ctypes.Structure):
    _fields_ = [("is_error", ctypes.c_int), ("line", ctypes.c_uint), ("column", ctypes.c_uint),
                ("file", ctypes.c_char_p), ("message", ctypes.c_char_p),
                ("reserved", ctypes.c_void_p * 4)]


class Decision(ctypes.Structure):
    _fields_ = [("level", ctypes.c_int), ("wanted", ctypes.c_int), ("reason", ctypes.c_int),
                ("visible", ctypes.c_int), ("line", ctypes.c_uint), ("column", ctypes.c_uint),
                ("file", ctypes.c_char_p), ("pattern", ctypes.c_char_p),
                ("parent", ctypes.c_char_p), ("reserved", ctypes.c_void_p * 4)]


def open_library():
    library = ctypes.CDLL("libscopefs.so.0", use_errno=True)
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    prototypes = {
        "scopefs_load": (pointer, [text, ctypes.POINTER(pointer)]),
        "scopefs_free": (None, [pointer]),
        "scopefs_find": (pointer, [pointer, text, ctypes.POINTER(pointer)]),
        "scopefs_findings_get": (ctypes.c_int, [pointer, size, ctypes.POINTER(Finding)]),
        "scopefs_findings_free": (None, [pointer]),
        "scopefs_level_name": (text, [ctypes.c_int]),
        "scopefs_decide": (ctypes.c_int, [pointer, text, size, ctypes.c_int,
                                          ctypes.POINTER(Decision)]),
    }
    for name, (result, arguments) in prototypes.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Scope:
    """A scope of a configuration file; raises ValueError with all that is wrong in it."""

    def __init__(self, library, file, name):
        self.library = library
        findings = ctypes.c_void_p()
        self.config = library.scopefs_load(os.fsencode(file), ctypes.byref(findings))
        self.refuse_without(self.config, findings)
        self.scope = library.scopefs_find(self.config, os.fsencode(name), ctypes.byref(findings))
        self.refuse_without(self.scope, findings)

    def __del__(self):
        self.library.scopefs_free(getattr(self, "config", None))

    def refuse_without(self, wanted, findings):
        lines, finding = [], Finding()
        while self.library.scopefs_findings_get(findings, len(lines), ctypes.byref(finding)) == 0:
            lines.append(f"{os.fsdecode(finding.file)}:{finding.line}:{finding.column}: "
                         f"{os.fsdecode(finding.message)}")
        self.library.scopefs_findings_free(findings)
        if not wanted:
            raise ValueError("\n".join(lines))

    def decide(self, path):
        decision, name = Decision(), os.fsencode(path)
        if self.library.scopefs_decide(self.scope, name, len(name), name.endswith(b"/"),
                                       ctypes.byref(decision)) < 0:
            raise ValueError(f"{path}: {os.strerror(ctypes.get_errno())}")
        return {
            "path": path,
            "level": self.library.scopefs_level_name(decision.level).decode(),
            "wanted": self.library.scopefs_level_name(decision.wanted).decode(),
            "visible": bool(decision.visible),
            "rule": decision.file and {"file": os.fsdecode(decision.file), "line": decision.line,
                                       "pattern": os.fsdecode(decision.pattern)},
            "parent": decision.parent and os.fsdecode(decision.parent),
        }


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: decide.py FILE SCOPE PATH...")
    try:
        scope = Scope(open_library(), sys.argv[1], sys.argv[2])
        for path in sys.argv[3:]:
            print(json.dumps(scope.decide(path)))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
