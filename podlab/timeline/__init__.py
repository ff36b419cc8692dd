"""The live side of the pages: what happened to a pod as marks on a timeline, sent over one websocket per page.

Read `messages` (what goes over the wire), `story` (changes in, marks out), then `consumers` (who gets what).
"""
