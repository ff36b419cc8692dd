"""A pod in words and facts that people read: one sentence, the tone of a status, the lines of a list. Pure.

Pages (`web`) and sockets (`timeline`) both say what is written here, so that they never disagree.
"""
