"""What objects take of a ResourceQuota. `evaluators` says how much, `scopes` whether a quota means the object at all; both
are pure. Admission (`registry.admission.resource_quota`) books, `controllers.resource_quota` counts anew.
"""
