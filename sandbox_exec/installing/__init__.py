"""Toolchains of languages come onto this machine as their packs say: packages, root file systems, builds of sources.

Nothing here is called by a box or by a worker; what is installed is found by `languages.toolchains`.
"""
