"""The report of a run (docs/reports.md), and one pure renderer per format: report in, text out."""
