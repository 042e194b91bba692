"""A run as a report (docs/reports.md), and one pure renderer per format: report in, text out."""
