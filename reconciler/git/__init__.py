"""Git: a repository's objects, the definitions of a commit, the applied record, and who set a value."""
