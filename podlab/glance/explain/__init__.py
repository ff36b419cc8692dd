"""Why a pod is as it is: rules over what is known of it. Pure.

`case.py` is the vocabulary: a Case goes in, Findings come out. One module a topic holds the situations it knows (their
texts, as data) and the function that finds them. `explanations.py` runs all of them and says the result in a language.
"""
