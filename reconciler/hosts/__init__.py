"""GitHub and GitLab: one comment, one issue, found again by its marker. Knows nothing about assistants."""
