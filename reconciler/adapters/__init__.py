"""Everything that touches the disk, git or the network. It decides nothing."""
