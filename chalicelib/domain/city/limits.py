"""How much one person may add, and how many codes may be sent: the limits without a city's own.

Tests: tests/integration/test_rate_limits.py
"""

# How much one person may add by default. ``report_comments`` is for one report, ``proposals`` are
# proposals for protection.
PERSON_LIMITS = {
    "flags": [{"n": 20, "seconds": 86_400}],
    "comments": [{"n": 60, "seconds": 86_400}],
    "report_comments": [{"n": 10, "seconds": 3_600}, {"n": 20, "seconds": 86_400}],
    "supports": [{"n": 100, "seconds": 86_400}],
    "follows": [{"n": 200, "seconds": 86_400}],
    "ratings": [{"n": 30, "seconds": 86_400}],
    "claims": [{"n": 20, "seconds": 86_400}],
    "proposals": [{"n": 5, "seconds": 86_400}],
}
CODE_LIMITS = {
    "codes": [{"n": 5, "seconds": 3_600}, {"n": 10, "seconds": 86_400}],
    "codes_contact": [{"n": 5, "seconds": 3_600}, {"n": 10, "seconds": 86_400}],
    "codes_address": [{"n": 20, "seconds": 3_600}],
}
