"""Plugins that live in another Python environment, each in a process of its own.

    proxy ── Remote ── Process ══ pipe: JSON ══ bootstrap ─► serving ── the plugin
                          └────── Room: arrays, in memory ──────┘

`registry` hands out a proxy that keeps its group's Protocol (`proxy`); `remote` restarts the worker
once and makes again what lived in it; `process` starts, limits and ends it; `schema` says what may
cross, from the interfaces' own types; `registered` is the user's list. `bootstrap` and `serving`
run in the other environment, which needs numpy and the plugin's own libraries, nothing of ours.
"""
