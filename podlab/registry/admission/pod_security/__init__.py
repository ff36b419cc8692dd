"""Pod Security admission: namespaces say by label how much their pods may. Start at `admission`.

`levels` reads the labels, `evaluate` puts the checks of `baseline` and `restricted` together; all three are pure.
"""
