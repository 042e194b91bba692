"""What runs that write share: workers, one write with its check, the record."""
