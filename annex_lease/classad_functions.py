"""Functions of ClassAds that an expression of the user may call, with the numbers of their arguments.

Each answers the same for the same two ads, and reads nothing else; `time` alone follows the clock, as START may.
"""

from __future__ import annotations

ANY_NUMBER = 500
"""Largest number of arguments of a function that takes any: more than a long expression has."""
FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("isundefined", "iserror", "isstring", "isinteger", "isreal", "isboolean", "islist"), (1, 1)),
    **dict.fromkeys(("int", "real", "string", "bool", "floor", "ceiling", "round"), (1, 1)),
    **dict.fromkeys(("size", "tolower", "toupper", "sum", "avg"), (1, 1)),
    **dict.fromkeys(("min", "max"), (1, ANY_NUMBER)),
    **dict.fromkeys(("pow", "quantize", "strcmp", "stricmp"), (2, 2)),
    **dict.fromkeys(("member", "identicalmember"), (2, 2)),
    **dict.fromkeys(("stringlistmember", "stringlistimember", "stringlistsubsetmatch"), (2, 3)),
    **dict.fromkeys(("stringlistisubsetmatch", "stringlistsintersect"), (2, 3)),
    **dict.fromkeys(("stringlistsize", "stringlistsum", "stringlistavg", "stringlistmin", "stringlistmax"), (1, 2)),
    **dict.fromkeys(("versioncmp", "versiongt", "versionge", "versionlt", "versionle", "versioneq"), (2, 2)),
    **dict.fromkeys(("splitusername", "splitslotname"), (1, 1)),
    "version_in_range": (3, 3),
    "anycompare": (3, 3),
    "allcompare": (3, 3),
    "ifthenelse": (3, 3),
    "regexp": (2, 3),
    "regexpmember": (2, 3),
    "regexps": (3, 4),
    "replace": (3, 4),
    "replaceall": (3, 4),
    "stringlist_regexpmember": (2, 4),
    "strcat": (1, ANY_NUMBER),
    "join": (1, ANY_NUMBER),
    "split": (1, 2),
    "substr": (2, 3),
    "time": (0, 0),
}
"""Allowed functions in lower case -> smallest and largest number of arguments (HTCondor manual, "ClassAd Syntax",
"Functions"). ClassAds do not distinguish upper and lower case in names."""
