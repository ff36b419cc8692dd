"""`make bench`: figures for docs/benchmarks.md, each measured on a running lab, never asserted in a test."""
