"""Admission: what is changed and refused between decoding and storing. Start at `chain`."""
