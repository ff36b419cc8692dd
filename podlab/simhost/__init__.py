"""Plays simulated clusters: `world` is one of them with its nodes, scheduler and clock; `host` has all of a sim worker.

The only package that brings actors together: everything else meets in the store.
"""
