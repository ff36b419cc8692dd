"""The form beside the editor, and what keeps form, YAML and kubectl line in step. Pure: values in, values out.

`layout` says which fields the form has and in which order, `build` makes the form of a manifest, `posted` finds out what a
person changed in it, `edits` are such changes, `yaml_edit` makes them in the text without touching anything else,
`kubectl_run` turns a pod into a command and back, `compose` puts it all together for the views.
"""
