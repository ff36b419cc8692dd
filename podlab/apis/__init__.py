"""What Kubernetes objects are: schema, defaults, validation, selectors, names. Pure: no Django, clock, random or network."""
