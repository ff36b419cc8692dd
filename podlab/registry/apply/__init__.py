"""Who owns which field: server-side apply, and the managedFields that every write keeps.

`tracking` is called at each write, `server_side` for apply patches; `managers` holds the entries of one object. Below them
everything is pure: `fieldset` is sets of field paths in the form of FieldsV1, `shapes` what the schema says of lists and
maps, `compare`, `merge` and `check` walk objects by those shapes.
Sources: sigs.k8s.io/structured-merge-diff/v6 (fieldpath, typed, merge), apimachinery/pkg/util/managedfields.
"""
