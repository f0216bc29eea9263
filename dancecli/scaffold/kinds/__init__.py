"""One working plugin per interface: what `dance plugins new` starts an author with.

Each module is copied as it is but for the name of its class, so it may use nothing that a
plugin of somebody else's could not.
"""
